// Result files that other commands left behind, opened as recorded runs: a result of `bench`, or llama-bench's JSON.

import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import * as v from "valibot";
import { InputError } from "../core/errors.js";
import { type RecordedRun, recordedRun } from "../core/recorded.js";
import type { BenchResult } from "../core/result.js";
import { llamaBenchRows, readLlamaBench } from "../formats/llama-bench.js";

const text = v.string();
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

/** What is read of a result; the rest is carried as it is. */
const resultSchema = v.looseObject({
  schemaVersion: v.literal(1),
  startedAt: text,
  interrupted: v.boolean(),
  scenario: v.looseObject({
    seed: v.number(),
    spin: v.boolean(),
    workloads: v.array(
      v.looseObject({ model: v.looseObject({ kind: text }), activations: text, tests: v.array(text) }),
    ),
  }),
  environment: v.looseObject({ cpu: text, cores: v.number(), os: text, runtime: text, version: text }),
  targets: v.array(v.looseObject({ available: v.boolean(), target: v.looseObject({ host: text, backend: text }) })),
  cases: v.array(
    v.variant("state", [
      v.looseObject({
        state: v.literal("measured"),
        model: text,
        quant: text,
        activations: text,
        test: text,
        target: v.looseObject({ host: text, backend: text, variant: text, threads: v.number() }),
        tokens: positive,
        samplesNs: v.pipe(v.array(positive), v.minLength(1)),
        figures: v.record(text, v.looseObject({ value: v.number() })),
      }),
      v.looseObject({ state: v.picklist(["unavailable", "failed"]) }),
    ]),
  ),
});

const REMEDY = "Name a result of `nibblemark bench --export-json FILE` or of `llama-bench -o json` (or jsonl)";

/** JSON, or JSON Lines of which each is an object; a byte order mark, which some shells' redirections write, is skipped. */
function parse(path: string, marked: string): unknown {
  const content = marked.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(content);
  } catch (whole) {
    const lines = content.split("\n").filter((line) => line.trim() !== "");
    try {
      if (lines.length > 1) return lines.map((line) => JSON.parse(line));
    } catch {
      // The fault of the file as one text says more.
    }
    throw new InputError(path, "", `is no JSON (${(whole as Error).message})`, REMEDY);
  }
}

/** A parsed result with what is read of it checked. */
function checked(path: string, value: unknown): BenchResult {
  const { issues } = v.safeParse(resultSchema, value);
  const issue = issues?.[0];
  if (issue) throw new InputError(path, v.getDotPath(issue) ?? "", issue.message, REMEDY);
  return value as BenchResult;
}

export interface ResultFile {
  readonly run: RecordedRun;
  /** The whole result, where `bench` wrote it. */
  readonly result: BenchResult | null;
}

async function readResultFile(path: string, name: string): Promise<ResultFile> {
  const content = await readFile(path, "utf8").catch((error: Error) => {
    throw new InputError(path, "", `cannot be read (${error.message})`, "Check the path");
  });
  const value = parse(path, content);
  const rows = llamaBenchRows(value);
  if (rows) return { run: readLlamaBench(name, path, rows), result: null };
  const result = checked(path, value);
  return { run: recordedRun(name, result), result };
}

/** From short to long: what names a file in a table. */
const NAMES: readonly ((path: string, index: number) => string)[] = [
  (path) => basename(path).replace(/\.jsonl?$/, ""),
  (path) => `${basename(dirname(resolve(path)))}/${basename(path).replace(/\.jsonl?$/, "")}`,
  (path) => path,
  (path, index) => `${path} #${index + 1}`,
];

/** The shortest name of each file that no other one has. */
function namesOf(paths: readonly string[]): string[] {
  const levels = NAMES.map((name) => paths.map(name));
  return paths.map((_, i) => {
    const alone = levels.find((names) => names.every((name, j) => j === i || name !== names[i]));
    return alone?.[i] ?? "";
  });
}

/** Opens files, each named apart from the others. @throws InputError naming file and field */
export function readResultFiles(paths: readonly string[]): Promise<ResultFile[]> {
  const names = namesOf(paths);
  return Promise.all(paths.map((path, i) => readResultFile(path, names[i] ?? path)));
}
