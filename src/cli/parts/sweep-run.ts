// One compressed model of a sweep: made by `nibblemark compress` in a process of its own, measured, and removed again.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseScheme, schemeBits } from "../../compress/scheme.js";
import type { CompressionReport } from "../../core/compression.js";
import type { ModelConfig } from "../../core/config.js";
import { InputError } from "../../core/errors.js";
import { makeFolder } from "../../platform/folders.js";
import { INTERRUPTED } from "../conversation.js";
import { decodeSpeeds, type Forms, type SpeedParts } from "./fit-speed.js";

const MAIN = fileURLToPath(new URL("../main.js", import.meta.url));

/** What a model is made by. */
export interface Recipe {
  readonly model: string;
  readonly prune: number;
  readonly heal: string;
  /** A scheme, or SCHEME:X for a mixture of 4 and 8 bits of at most X bits a weight. */
  readonly quant: string;
  /** null: no block is removed. */
  readonly criterion: string | null;
  /** Further arguments of compress. */
  readonly extra: readonly string[];
  /** Hashes of the files that are read; null: not looked at yet. */
  readonly prints: { readonly model: string; readonly calibration: string | null } | null;
}

/** Key of a recipe, alone or under a topology and rules. */
export function keyOf(recipe: Recipe, ...where: readonly (string | readonly string[])[]): string {
  const { model, prune, heal, quant, criterion, extra, prints } = recipe;
  const parts = [model, prune, heal, quant, criterion, extra, prints?.model, prints?.calibration, where];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

export const cellName = ({ prune, heal, quant }: Recipe): string => `${prune} blocks, ${heal}, ${quant}`;

export function splitQuant(quant: string): { readonly scheme: string; readonly meanBits: string | null } {
  const [scheme, ...mean] = quant.split(":");
  return { scheme, meanBits: mean.length > 0 ? mean.join(":") : null };
}

/** Forms that the kernels run a scheme in: one, or the two that a mixture is made of. */
export function formsOf(quant: string): Forms[] {
  const { scheme: name, meanBits } = splitQuant(quant);
  const scheme = parseScheme("--quant", name);
  const rest = { embedding: "f16", vision: "f16", projector: "f16" } as const;
  if (!scheme) return [{ decoder: "f16", ...rest }];
  const eight = { decoder: "int8", ...rest } as const;
  // Rows without groups are stored in groups of 128, all with the row's scale.
  const four = { decoder: `int4-g${(scheme.group || 128) as 32 | 64 | 128}`, ...rest } as const;
  if (meanBits !== null) return [four, eight];
  return [scheme.bits === 8 ? eight : four];
}

/** Tokens a second by topology. Of a mixture: its matrices' share of each form's time, as many in 8 bits as its mean allows. */
export function sweepSpeeds(
  config: ModelConfig,
  layers: number,
  quant: string,
  context: number,
  parts: SpeedParts,
  rules: readonly string[],
): Record<string, number> {
  const { scheme: name, meanBits } = splitQuant(quant);
  const [speeds, slower] = formsOf(quant).map((forms) =>
    decodeSpeeds(config, layers, forms, "f16", context, parts, rules),
  );
  const scheme = parseScheme("--quant", name);
  if (!slower || !scheme || meanBits === null) return speeds;
  const bits = (each: 4 | 8) => schemeBits({ ...scheme, bits: each }, config.decoder.hidden);
  const share = Math.min(1, Math.max(0, (Number(meanBits) - bits(4)) / (bits(8) - bits(4))));
  const mixed = (topology: string) => 1 / ((1 - share) / speeds[topology] + share / slower[topology]);
  return Object.fromEntries(Object.keys(speeds).map((topology) => [topology, mixed(topology)]));
}

/** Files that hold the scheme: AutoAWQ's where they do, else MLX's, which hold every mixture. */
function formatOf(quant: string): string {
  const { scheme: name, meanBits } = splitQuant(quant);
  const scheme = parseScheme("--quant", name);
  return scheme && (meanBits !== null || scheme.bits === 8 || scheme.group === 0) ? "mlx" : "hf";
}

/** Arguments of compress after its name. */
export function argsOf({ model, prune, heal, quant, criterion, extra }: Recipe, out: string): string[] {
  const { scheme, meanBits } = splitQuant(quant);
  return [
    ...[model, out, "--quant", scheme, "--format", formatOf(quant), "-o", "json", "--quiet", "--yes", "--force"],
    ...(meanBits === null ? [] : ["--mean-bits", meanBits]),
    ...(criterion === null ? [] : ["--prune", String(prune), "--criterion", criterion]),
    ...(heal === "none" ? [] : ["--heal", heal]),
    ...extra,
  ];
}

/**
 * Runs the recipe; what a killed call left is gone on with. Gives the report, or in one line why there is none.
 * @throws InputError where the user stopped it
 */
export async function compressOnce(recipe: Recipe, folder: string): Promise<CompressionReport | string> {
  const out = join(folder, keyOf(recipe));
  await makeFolder(resolve(folder));
  const { code, signal, stdout, stderr } = await ended(["compress", ...argsOf(recipe, out)]);
  if (code === INTERRUPTED) {
    throw new InputError("nibblemark sweep", cellName(recipe), "was stopped", "The same call goes on from there");
  }
  if (code === 0) {
    await rm(out, { recursive: true, force: true });
    return JSON.parse(stdout) as CompressionReport;
  }
  const said = stderr.trim().split("\n").at(-1) ?? "";
  return `compress ended with ${code ?? signal}${said === "" ? "" : `: ${said}`}`;
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ended(args: readonly string[]): Promise<Ended> {
  return new Promise((resolved, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolved({ code, signal, stdout, stderr }));
  });
}
