// llama.cpp's `llama-bench -o json` and `-o jsonl` as a recorded run (tools/llama-bench of llama.cpp writes them).

import { InputError } from "../core/errors.js";
import type { RecordedCase, RecordedRun } from "../core/recorded.js";
import { type Row, settingWords, sharedSettings } from "./llama-bench-settings.js";

const isObject = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

const isRow = (value: unknown): value is Row => isObject(value) && "n_prompt" in value && "n_gen" in value;

/** Rows of a parsed file of llama-bench, of which JSON Lines may hold a single one; null where it is no such file. */
export function llamaBenchRows(value: unknown): readonly Row[] | null {
  const rows: readonly unknown[] = Array.isArray(value) ? value : [value];
  return rows.length > 0 && rows.every(isRow) ? rows : null;
}

function numberAt(path: string, row: Row, index: number, field: string): number {
  const value = row[field];
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new InputError(
    path,
    `[${index}].${field}`,
    "is no number from 0 on",
    "Write the file with llama-bench -o json or -o jsonl",
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
    "Write the file with llama-bench -o json or -o jsonl",
  );
}

const pathOf = (row: Row) => textOf(row, "model_filename");
const fileOf = (row: Row) => pathOf(row).split(/[\\/]/).at(-1) ?? "";

/** The model's file name; its whole path where files of one name in several folders were measured. */
function modelOf(row: Row, rows: readonly Row[]): string {
  const file = fileOf(row);
  const namesakes = rows.some((other) => fileOf(other) === file && pathOf(other) !== pathOf(row));
  return (namesakes ? pathOf(row) : file) || textOf(row, "model_type") || "unknown";
}

function targetOf(row: Row, settings: string): string {
  const target = `llama.cpp/${textOf(row, "backends") || "unknown"}/${textOf(row, "n_threads") || "?"}t`;
  return settings ? `${target} ${settings}` : target;
}

interface Place {
  readonly path: string;
  readonly rows: readonly Row[];
  /** Of each row. */
  readonly settings: readonly string[];
}

function caseOf({ path, rows, settings }: Place, row: Row, index: number): RecordedCase {
  const [prompt, generated] = [numberAt(path, row, index, "n_prompt"), numberAt(path, row, index, "n_gen")];
  const depth = row.n_depth === undefined ? 0 : numberAt(path, row, index, "n_depth");
  if (prompt + generated === 0) {
    throw new InputError(path, `[${index}]`, "has neither a prompt nor generated tokens", "Leave the row out");
  }
  // "llama 1B Q4_0": architecture, size and format of the weights in one name.
  const words = textOf(row, "model_type").split(" ");
  return {
    model: modelOf(row, rows),
    weights: words.length > 2 ? words.slice(2).join(" ") : "unknown",
    activations: "–",
    test: testName(prompt, generated, depth),
    target: targetOf(row, settings[index] ?? ""),
    tokens: prompt + generated,
    rate: true,
    samplesNs: samplesOf(path, row, index),
    readShare: null,
  };
}

/** Two rows of one case have no order that a comparison could pair them by. */
function checkDistinct(path: string, cases: readonly RecordedCase[]): void {
  const seen = new Map<string, number>();
  for (const [index, { model, weights, test, target }] of cases.entries()) {
    const name = [model, weights, test, target].join(", ");
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      const remedy = "Keep one row of each: a longer measurement is one row of more repetitions (llama-bench -r)";
      throw new InputError(path, `[${index}]`, `repeats [${earlier}], the same test and settings (${name})`, remedy);
    }
    seen.set(name, index);
  }
}

/** @throws InputError naming row and field */
export function readLlamaBench(name: string, path: string, rows: readonly Row[]): RecordedRun {
  const first = rows[0] as Row;
  const named = { cpu: "cpu_info", gpu: "gpu_info", version: "build_commit" };
  const environment = Object.fromEntries(
    Object.entries(named).flatMap(([key, field]) => (textOf(first, field) ? [[key, textOf(first, field)]] : [])),
  );
  const place = { path, rows, settings: settingWords(rows) };
  const cases = rows.map((row, index) => caseOf(place, row, index));
  checkDistinct(path, cases);
  return {
    name,
    tool: "llama-bench",
    environment,
    scenario: sharedSettings(rows),
    interrupted: false,
    cases,
    unmeasured: [],
  };
}
