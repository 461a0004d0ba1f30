// `nibblemark eval MODEL --base REF`: how far a model's distributions are from a base's on a text.

import { access, open } from "node:fs/promises";
import { InputError } from "../core/errors.js";
import { QUANT_NAMES, type QuantName } from "../core/scenario.js";
import { kldSections } from "../report/kld-section.js";
import { sectionLines } from "../report/table.js";
import { converse } from "./conversation.js";
import { type Flag, type Parsed, wholeNumber } from "./flags.js";
import { suggest } from "./nearest.js";
import type { KldRequest } from "./protocol.js";
import { painter, progressBar } from "./terminal.js";

export const BASE_FLAGS: readonly Flag[] = [
  { name: "base", value: "REF", help: "compare with a model, `self`, or a base file of llama.cpp" },
  { name: "base-quant", value: "NAME", help: "form of the base's weights (default: stored; f32 for `self`)" },
  { name: "text", value: "FILE", help: "text to compare on (default: the shipped one)" },
  { name: "context", value: "N", help: "tokens of a chunk; the second half of each is scored (default 512)" },
  { name: "chunks", value: "N", help: "most chunks of the text (default: all)" },
  { name: "save-base", value: "FILE", help: "write the base's probabilities as llama.cpp does" },
];

const refOf = (path: string) =>
  path === "shipped" ? ({ kind: "shipped" } as const) : ({ kind: "file", path } as const);

function quantOf(flag: string, name: string): QuantName {
  const found = QUANT_NAMES.find((quant) => quant === name);
  if (found) return found;
  throw new InputError("nibblemark eval", `--${flag}`, `"${name}" is unknown`, suggest(name, QUANT_NAMES));
}

async function isBaseFile(path: string): Promise<boolean> {
  const file = await open(path, "r").catch(() => null);
  try {
    const { buffer, bytesRead } = (await file?.read(Buffer.alloc(8), 0, 8, 0)) ?? {
      buffer: Buffer.alloc(0),
      bytesRead: 0,
    };
    return bytesRead === 8 && buffer.toString("latin1") === "_logits_";
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}

async function requestOf(parsed: Parsed): Promise<KldRequest> {
  const base = parsed.text("base") ?? "self";
  const model = refOf(parsed.positionals[0] ?? parsed.text("model") ?? "shipped");
  const text = parsed.text("text") ?? null;
  if (text !== null) {
    await access(text).catch(() => {
      throw new InputError(text, "--text", "does not exist", "Name a text file");
    });
  }
  const count = (name: string, least: number) => {
    const given = parsed.text(name);
    return given === undefined ? null : wholeNumber("eval", name, given, least, 2 ** 20);
  };
  const self = base === "self";
  const file = !self && (await isBaseFile(base));
  return {
    kind: "kld",
    model,
    quant: quantOf("quant", parsed.text("quant") ?? "stored"),
    base: self ? null : file ? { kind: "file", path: base } : { kind: "model", model: refOf(base) },
    baseName: base,
    baseQuant: quantOf("base-quant", parsed.text("base-quant") ?? (self ? "f32" : "stored")),
    activations: parsed.text("activations") === "int8" ? "int8" : "f32",
    text,
    contextTokens: count("context", 4),
    chunks: count("chunks", 1) ?? 2 ** 20,
    threads: count("threads", 0) ?? 0,
    saveBase: parsed.text("save-base") ?? null,
  };
}

/** Prints the comparison; gives the exit code. */
export async function evalBase(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") {
    throw new InputError("nibblemark eval", "--output", `"${format}" is not known beside --base`, "Known: table, json");
  }
  const event = await converse(await requestOf(parsed), progressBar(parsed.on("quiet")));
  if (event.kind !== "compared") throw new Error(`unexpected answer ${event.kind}`);
  const { report } = event;
  if (format === "json") {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return 0;
  }
  const title = `${report.model} (${report.quant}) beside ${report.base}: ${report.chunks} chunks of ${report.contextTokens} tokens, ${report.target}`;
  const lines = kldSections(title, report).flatMap((section) => sectionLines(section, painter(parsed)));
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}
