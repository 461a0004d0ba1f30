// llama.cpp's `llama-bench -o json` and `-o jsonl` as a recorded run (tools/llama-bench of llama.cpp writes them).

import { InputError } from "../core/errors.js";
import type { RecordedCase, RecordedRun } from "../core/recorded.js";

type Row = Readonly<Record<string, unknown>>;

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a parsed file is llama-bench's. */
export function isLlamaBench(value: unknown): value is readonly Row[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((row) => isRow(row) && "n_prompt" in row && "n_gen" in row)
  );
}

function numberAt(path: string, row: Row, index: number, field: string): number {
  const value = row[field];
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new InputError(
    path,
    `[${index}].${field}`,
    "is no number from 0 on",
    "Write the file with llama-bench -o json",
  );
}

function textOf(row: Row, field: string): string {
  const value = row[field];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** `pp512`, `tg128@d4096`, `pp512+tg128`: as llama-bench's own tables say. */
function testName(prompt: number, generated: number, depth: number): string {
  const parts = [...(prompt > 0 ? [`pp${prompt}`] : []), ...(generated > 0 ? [`tg${generated}`] : [])];
  return `${parts.join("+")}${depth > 0 ? `@d${depth}` : ""}`;
}

function samplesOf(path: string, row: Row, index: number): number[] {
  const samples = row.samples_ns ?? [numberAt(path, row, index, "avg_ns")];
  if (Array.isArray(samples) && samples.length > 0 && samples.every((ns) => typeof ns === "number" && ns > 0))
    return samples;
  throw new InputError(
    path,
    `[${index}].samples_ns`,
    "is no list of times over 0",
    "Write the file with llama-bench -o json",
  );
}

function caseOf(path: string, row: Row, index: number): RecordedCase {
  const [prompt, generated] = [numberAt(path, row, index, "n_prompt"), numberAt(path, row, index, "n_gen")];
  const depth = row.n_depth === undefined ? 0 : numberAt(path, row, index, "n_depth");
  if (prompt + generated === 0) {
    throw new InputError(path, `[${index}]`, "has neither a prompt nor generated tokens", "Leave the row out");
  }
  // "llama 1B Q4_0": architecture, size and format of the weights in one name.
  const words = textOf(row, "model_type").split(" ");
  const file = textOf(row, "model_filename").split(/[\\/]/).at(-1) ?? "";
  return {
    model: file || words.join(" ") || "unknown",
    weights: words.length > 2 ? words.slice(2).join(" ") : "unknown",
    activations: "–",
    test: testName(prompt, generated, depth),
    target: `llama.cpp/${textOf(row, "backends") || "unknown"}/${textOf(row, "n_threads") || "?"}t`,
    tokens: prompt + generated,
    rate: true,
    samplesNs: samplesOf(path, row, index),
    readShare: null,
  };
}

/** @throws InputError naming row and field */
export function readLlamaBench(name: string, path: string, rows: readonly Row[]): RecordedRun {
  const first = rows[0] as Row;
  const named = { cpu: "cpu_info", gpu: "gpu_info", version: "build_commit" };
  const environment = Object.fromEntries(
    Object.entries(named).flatMap(([key, field]) => (textOf(first, field) ? [[key, textOf(first, field)]] : [])),
  );
  return {
    name,
    tool: "llama-bench",
    environment,
    scenario: {},
    interrupted: false,
    cases: rows.map((row, index) => caseOf(path, row, index)),
  };
}
