// Reads a recorded run: epoch-trace JSONL (docs/traces.md) or the output of `perf stat -I MS -x,`. A broken line is an error
// that names it; with `keepGoing` it is left out and listed.

import * as v from "valibot";
import { InputError } from "../core/errors.js";
import type { Trace, TraceEpoch } from "../core/trace.js";
import { LINE_BYTES } from "../core/units.js";
import { perfEpochs } from "./trace/perf.js";

const count = v.pipe(
  v.number("must be a number"),
  v.finite("must be finite"),
  v.minValue(0, "must be 0 or more"),
  v.maxValue(1e18, "is absurd: over 1e18"),
);
const traffic = v.strictObject({
  chaseLines: v.optional(count, 0),
  demandLines: v.optional(count, 0),
  streamedBytes: v.optional(count, 0),
  writtenBytes: v.optional(count, 0),
});
const epochLine = v.object({
  phase: v.optional(v.string(), ""),
  nativeNs: v.pipe(
    v.number("must be a number of ns"),
    v.finite("must be finite"),
    v.gtValue(0, "is no length: must be above 0"),
    v.maxValue(1e15, "is absurd: over 11 days; the unit is ns"),
  ),
  perPool: v.optional(v.nullable(v.pipe(v.array(traffic), v.maxLength(16, "has more than 16 pools"))), []),
  counters: v.optional(v.record(v.string(), count), {}),
});

/** An epoch that a watch wrote before it told unknown lines by `perPool: null`: zeros, of which nothing follows. */
const unknownBefore = v.object({
  runningShare: v.number(),
  threads: v.array(v.unknown()),
  poolBytes: v.optional(v.undefined()),
  delaySlowestNs: v.optional(v.undefined()),
});

/** Last line of what `exec` wrote of a program that failed. */
const failedRun = v.object({ kind: v.literal("failed-run"), failed: v.string() });

/** What cannot be used of one line; the path of the field first. */
class BrokenLine extends Error {}

function fieldPath(path: readonly { key: unknown }[] = []): string {
  return path.map(({ key }, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${key}`)).join("");
}

function parseLine(text: string, line: number): TraceEpoch | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new BrokenLine(`is not JSON (${(error as Error).message})`);
  }
  const end = v.safeParse(failedRun, data);
  if (end.success) throw new BrokenLine(`tells that the run failed (${end.output.failed})`);
  if (line === 1 && typeof data === "object" && data !== null && "kind" in data) return null;
  const result = v.safeParse(epochLine, data);
  if (!result.success) throw new BrokenLine(`${fieldPath(result.issues[0].path)} ${result.issues[0].message}`.trim());
  const { phase, nativeNs, counters } = result.output;
  const { llcMisses } = counters;
  const given = result.output.perPool;
  if (given === null || v.is(unknownBefore, data)) return { line, phase, nativeNs, counters, perPool: [] };
  if (given.length === 0 && llcMisses === undefined) {
    throw new BrokenLine("has neither perPool nor counters.llcMisses: what missed the cache is unknown, not 0");
  }
  const whole = { chaseLines: 0, demandLines: llcMisses ?? 0, streamedBytes: 0, writtenBytes: 0 };
  const perPool = given.length > 0 ? given : [whole];
  return { line, phase, nativeNs, counters, perPool };
}

function jsonEpochs(lines: readonly string[], broken: (line: number, problem: string) => void): TraceEpoch[] {
  const epochs: TraceEpoch[] = [];
  let poolCount = 0;
  for (const [i, text] of lines.entries()) {
    if (text.trim() === "") continue;
    try {
      const epoch = parseLine(text, i + 1);
      if (!epoch) continue;
      if (poolCount > 0 && epoch.perPool.length > 0 && epoch.perPool.length !== poolCount) {
        throw new BrokenLine(`perPool has ${epoch.perPool.length} entries, the lines before have ${poolCount}`);
      }
      poolCount = epoch.perPool.length || poolCount;
      epochs.push(epoch);
    } catch (error) {
      if (!(error instanceof BrokenLine)) throw error;
      broken(i + 1, error.message);
    }
  }
  return epochs;
}

/** Parses a trace; the first line that is neither empty nor a comment tells which format it is. Throws InputError with the line. */
export function parseTrace(source: string, text: string, keepGoing: boolean): Trace {
  const lost: { line: number; problem: string }[] = [];
  const broken = (line: number, problem: string) => {
    const remedy = "Correct the line, or leave it out with --keep-going.";
    if (!keepGoing) throw new InputError(source, `line ${line}`, problem, remedy);
    lost.push({ line, problem });
  };
  const lines = text.split("\n");
  const first = lines.find((line) => line.trim() !== "" && !line.startsWith("#")) ?? "";
  const isPerf = /^\s*[\d.]+,/.test(first);
  const epochs = isPerf ? perfEpochs(lines, LINE_BYTES, broken) : jsonEpochs(lines, broken);
  if (epochs.length > 0) return { epochs, lost };
  throw new InputError(source, "", "holds no epoch", "See docs/traces.md for the format.");
}
