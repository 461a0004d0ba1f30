// llama.cpp as an outside judge: what it says after each token, and how far another model's logits are from that.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openWasm } from "../../src/backends/wasm.js";
import type { ActivationFormat } from "../../src/core/op.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";

export interface Judged {
  readonly tokens: readonly number[];
  readonly vocab: number;
  /** [tokens, vocab] */
  readonly probabilities: Float32Array;
}

/** Where the two best differ by more, the best must be the same. */
export const CLEAR_NATS = 0.1;
/** The same beside quantized files, whose activations llama.cpp rounds to 8 bits: that alone moves a lead so far. */
export const CLEAR_NATS_QUANTIZED = 0.4;

export interface Agreement {
  /** Mean KL(llama.cpp || ours) in nats. */
  readonly kl: number;
  /** Share of places with the same most likely token. */
  readonly same: number;
  /** Largest lead in nats of llama.cpp's best token over its second where ours is another; 0 where none is. */
  readonly worstLead: number;
}

type Fixture = "models" | "floats" | "llama.cpp" | "mtmd" | "smollm2" | "smollm2-floats";

/** Runs scripts/fixtures/gguf.mjs where CI asks for it; says whether the parts are there. */
export function haveFixtures(part: Fixture): boolean {
  const place = {
    models: ".cache/gguf/models/qwen2-yarn-Q8_0.gguf",
    floats: ".cache/gguf/floats/qwen2-yarn-Q8_0.gguf",
    "llama.cpp": ".cache/peers/node-llama-cpp/node_modules/node-llama-cpp/package.json",
    mtmd: ".cache/gguf/mtmd/packages/xllamacpp/__init__.py",
    smollm2: ".cache/gguf/SmolLM2-135M-Instruct.Q4_1.gguf",
    "smollm2-floats": ".cache/gguf/SmolLM2-135M-Instruct.floats.gguf",
  }[part];
  if (existsSync(join(root, place))) return true;
  if (process.env.CI === "true") {
    const { status } = spawnSync(process.execPath, ["scripts/fixtures/gguf.mjs", part], {
      cwd: root,
      stdio: "inherit",
    });
    if (status === 0) return true;
  }
  console.log(`skipped: ${place} is absent; run node scripts/fixtures/gguf.mjs ${part}`);
  return false;
}

/** A model file and tokens, or a text for llama.cpp's own tokenizer. */
export interface Question {
  readonly path: string;
  readonly text?: string;
  readonly tokens?: readonly number[];
}

export function askLlamaCpp(path: string, asked: Omit<Question, "path">): Judged {
  return askLlamaCppAll([{ path, ...asked }])[0] as Judged;
}

/** All questions in one process: starting llama.cpp takes longer than a tiny model. */
export function askLlamaCppAll(questions: readonly Question[]): Judged[] {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
  try {
    const out = join(folder, "probabilities");
    const args = ["scripts/fixtures/llama-cpp.mjs", out];
    const input = JSON.stringify(questions);
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, input, maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`llama.cpp failed on ${questions[0].path}: ${stderr}`);
    const answers = JSON.parse(`${stdout}`.trim().split("\n").at(-1) as string) as Omit<Judged, "probabilities">[];
    const bytes = Uint8Array.from(readFileSync(out));
    let at = 0;
    return answers.map(({ tokens, vocab }) => {
      const probabilities = new Float32Array(bytes.buffer, at, tokens.length * vocab);
      at += probabilities.byteLength;
      return { tokens, vocab, probabilities };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Our logits [tokens, vocab] of a file's own weights, teacher-forced. */
export async function ourLogits(path: string, tokens: readonly number[], activations: ActivationFormat) {
  const platform = nodePlatform();
  const model = await openModel(platform, path);
  const backend = await openWasm(platform, { variant: "simd", threads: 1 });
  try {
    const parts = {
      backend,
      readFloat32,
      quantizer: await openQuantizer(platform),
      repacker: await openRepacker(platform),
    };
    const context = Math.min(256, model.config.decoder.maxContext);
    const rows = Math.min(128, context);
    const options = { plan: planOf("stored", model.stored), activations, context, maxRows: rows, logitRows: rows };
    const loaded = await loadModel(model, parts, options);
    return { logits: await openSession(loaded).score(tokens), model, residentBytes: backend.residentBytes() };
  } finally {
    await backend.close();
    await closeModel(model);
  }
}

export function compare({ probabilities, vocab, tokens }: Judged, logits: Float32Array): Agreement {
  const rows = tokens.map((_, i) => {
    const p = probabilities.subarray(i * vocab, (i + 1) * vocab);
    const ours = logits.subarray(i * vocab, (i + 1) * vocab);
    return compareRow(p, ours);
  });
  const mean = (value: (row: (typeof rows)[number]) => number) =>
    rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
  return {
    kl: mean((row) => row.kl),
    same: mean((row) => (row.same ? 1 : 0)),
    worstLead: rows.reduce((most, row) => (row.same ? most : Math.max(most, row.lead)), 0),
  };
}

/** The strict bars: weights are the same numbers on both sides and nobody rounds activations. */
export function assertSame({ kl, same, worstLead }: Agreement): void {
  assert.ok(kl <= 1e-3, `KL divergence ${kl}`);
  assert.ok(same >= 0.98, `same top ${same}`);
  assert.ok(worstLead <= CLEAR_NATS, `another token, ${worstLead} nat apart`);
}

/**
 * The bars beside llama.cpp with rounded activations.
 * @param own how far llama.cpp with rounded activations is from itself without: we may not be further away
 */
export function assertAsRounded({ kl, worstLead }: Agreement, own: Agreement): void {
  assert.ok(kl <= 5e-3, `KL divergence ${kl}`);
  assert.ok(kl <= 1.1 * own.kl + 1e-4, `KL divergence ${kl}, rounding alone makes ${own.kl}`);
  assert.ok(worstLead <= CLEAR_NATS_QUANTIZED, `another token, ${worstLead} nat apart`);
}

/** How far one run of llama.cpp is from another over the same tokens. */
export const compareJudged = (judge: Judged, other: Judged): Agreement =>
  compare(judge, other.probabilities.map(Math.log));

export const tell = ({ kl, same, worstLead }: Agreement): string =>
  `KL ${kl.toExponential(1)}, same top ${(same * 100).toFixed(1)} %, another top up to ${worstLead.toFixed(3)} nat`;

function compareRow(p: Float32Array, ours: Float32Array) {
  const peak = ours.reduce((a, b) => Math.max(a, b));
  const total = Math.log(ours.reduce((sum, value) => sum + Math.exp(value - peak), 0)) + peak;
  const kl = p.reduce((sum, value, i) => (value > 0 ? sum + value * (Math.log(value) - (ours[i] - total)) : sum), 0);
  const best = p.indexOf(p.reduce((a, b) => Math.max(a, b)));
  const second = p.reduce((most, value, i) => (i === best ? most : Math.max(most, value)), 0);
  return { kl, same: ours.indexOf(peak) === best, lead: Math.log(p[best] / second) };
}
