// CAMP's coefficients: fitted from microbenchmarks that were measured on both memories of one host and device, where they
// belong. The slowdown is linear in four of them once the bend is known; the bend is searched on a grid.

import * as v from "valibot";
import { InputError } from "../core/errors.js";

/** Exports of build/epoch.wasm that CAMP uses. */
export interface CampExports {
  readonly memory: WebAssembly.Memory;
  campEventsAt(): number;
  campCoefficientsAt(): number;
  campDemand(bend: number): number;
  campCache(): number;
  campStore(): number;
  campSlowdown(): number;
  campInterleaved(share: number, near: number, far: number, nearLoad: number, farLoad: number): number;
}

/** Events in the order of the ABI (docs/delay-models.md). */
export const CAMP_EVENTS = [
  "cycles",
  "stallsMemAny",
  "boundOnStores",
  "stallsL1d",
  "stallsL2",
  "stallsL3Miss",
  "l1Misses",
  "fillBufferHits",
  "prefetches",
  "prefetchL3Hits",
  "demandReads",
  "demandReadCycles",
] as const;
const LEAST_BENCHMARKS = 16;

export interface CampCoefficients {
  /** Cycles of latency at which overlapped reads cost half. */
  readonly bend: number;
  readonly demand: number;
  readonly cache: number;
  readonly store: number;
  readonly constant: number;
}

export interface CampFit {
  readonly coefficients: CampCoefficients;
  readonly benchmarks: number;
  /** |predicted - measured slowdown| of each benchmark, fitted without it: 0.1 = 10 percentage points. */
  readonly leaveOneOut: { readonly mean: number; readonly worst: number; readonly worstName: string };
  /** Slowdowns (0.1 = 10 % longer), predicted by a fit without the benchmark. */
  readonly each: readonly { readonly name: string; readonly measured: number; readonly predicted: number }[];
}

type Counters = Readonly<Record<string, number>>;
interface Benchmark {
  readonly name: string;
  readonly counters: Counters;
  /** Far time over local time less 1. */
  readonly slowdown: number;
}

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0, "must be above 0"));
const benchmarkLine = v.object({
  name: v.string(),
  localNs: positive,
  farNs: positive,
  counters: v.record(v.string(), v.pipe(v.number(), v.finite(), v.minValue(0, "must be 0 or more"))),
});

/** The first event that an epoch or benchmark lacks, or null. */
export function missingCampEvent(counters: Counters): string | null {
  return CAMP_EVENTS.find((name) => counters[name] === undefined) ?? null;
}

/** Microbenchmarks, one JSON object a line: name, localNs, farNs, and the 12 counters of the local run. */
export function parseBenchmarks(source: string, text: string): Benchmark[] {
  const lines = text.split("\n").map((line, i) => ({ line, field: `line ${i + 1}` }));
  const list = lines
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, field }) => {
      const fail = (problem: string): never => {
        throw new InputError(source, field, problem, "See docs/delay-models.md for the format.");
      };
      let data: unknown;
      try {
        data = JSON.parse(line);
      } catch (error) {
        return fail(`is not JSON (${(error as Error).message})`);
      }
      const result = v.safeParse(benchmarkLine, data);
      if (!result.success) {
        return fail(`${result.issues[0].path?.map(({ key }) => key).join(".") ?? ""} ${result.issues[0].message}`);
      }
      const { name, counters, localNs, farNs } = result.output;
      const missing = missingCampEvent(counters);
      if (missing) return fail(`has no counter ${missing}`);
      return { name, counters, slowdown: farNs / localNs - 1 };
    });
  if (list.length >= LEAST_BENCHMARKS) return list;
  const problem = `holds ${list.length} microbenchmarks, fewer than ${LEAST_BENCHMARKS}`;
  throw new InputError(source, "", problem, "Measure more, from pointer chases to streams and stores.");
}

const number = v.pipe(v.number(), v.finite());
const fitFile = v.object({
  schemaVersion: v.literal(1),
  kind: v.literal("camp-fit"),
  benchmarks: v.pipe(number, v.minValue(LEAST_BENCHMARKS)),
  coefficients: v.object({ bend: positive, demand: number, cache: number, store: number, constant: number }),
  leaveOneOut: v.object({ mean: number, worst: number, worstName: v.string() }),
  each: v.array(v.object({ name: v.string(), measured: number, predicted: number })),
});

/** A fit that `calibrate --camp` stored; null when the text is none. Throws InputError when it is a broken one. */
export function parseFit(source: string, text: string): CampFit | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if ((data as { kind?: unknown } | null)?.kind !== "camp-fit") return null;
  const result = v.safeParse(fitFile, data);
  if (result.success) {
    const { coefficients, benchmarks, leaveOneOut, each } = result.output;
    return { coefficients, benchmarks, leaveOneOut, each };
  }
  const [issue] = result.issues;
  const field = issue.path?.map(({ key }) => key).join(".") ?? "";
  throw new InputError(source, field, issue.message, "Fit again: nibblemark calibrate --camp MICROBENCHMARKS.jsonl");
}

function setEvents(camp: CampExports, counters: Counters): void {
  const view = new Float64Array(camp.memory.buffer, camp.campEventsAt(), CAMP_EVENTS.length);
  view.set(CAMP_EVENTS.map((name) => counters[name] ?? 0));
}

/** Least squares of a few unknowns by normal equations and elimination; a little damping keeps absent terms at 0. */
function leastSquares(rows: readonly (readonly number[])[], wanted: readonly number[]): number[] {
  const size = rows[0]?.length ?? 0;
  const columns = Array.from({ length: size }, (_, i) => i);
  const dot = (pick: (row: readonly number[], k: number) => number) =>
    rows.reduce((sum, row, k) => sum + pick(row, k), 0);
  const system = columns.map((i) => [
    ...columns.map((j) => dot((row) => (row[i] as number) * (row[j] as number)) + (i === j ? 1e-9 : 0)),
    dot((row, k) => (row[i] as number) * (wanted[k] as number)),
  ]);
  for (const i of columns) {
    const pivot = system[i] as number[];
    for (const other of system) {
      if (other === pivot) continue;
      const factor = (other[i] as number) / (pivot[i] as number);
      other.splice(0, size + 1, ...other.map((value, j) => value - factor * (pivot[j] as number)));
    }
  }
  return columns.map((i) => (system[i]?.[size] as number) / (system[i]?.[i] as number));
}

/** Bends tried: 1 to 3000 cycles, 10 % apart. */
const BENDS = Array.from({ length: 85 }, (_, i) => 1.1 ** i);

function fitOnce(camp: CampExports, benchmarks: readonly Benchmark[]): CampCoefficients {
  const wanted = benchmarks.map(({ slowdown }) => slowdown);
  const tried = BENDS.map((bend) => {
    const rows = benchmarks.map(({ counters }) => {
      setEvents(camp, counters);
      return [camp.campDemand(bend), camp.campCache(), camp.campStore(), 1];
    });
    const found = leastSquares(rows, wanted);
    const error = rows.reduce((sum, row, k) => {
      const predicted = row.reduce((total, value, i) => total + value * (found[i] as number), 0);
      return sum + (predicted - (wanted[k] as number)) ** 2;
    }, 0);
    return { bend, found, error };
  });
  const { bend, found } = tried.reduce((best, one) => (one.error < best.error ? one : best));
  const [demand = 0, cache = 0, store = 0, constant = 0] = found;
  return { bend, demand, cache, store, constant };
}

/** Slowdown of an epoch whose memory is all far, and its terms (demand and cache with the constant; stores). */
export function campSlowdown(camp: CampExports, coefficients: CampCoefficients, counters: Counters) {
  const { bend, demand, cache, store, constant } = coefficients;
  setEvents(camp, counters);
  const view = new Float64Array(camp.memory.buffer, camp.campCoefficientsAt(), 8);
  view.set([bend, demand, cache, store, constant]);
  const slowdown = camp.campSlowdown();
  return { slowdown, stores: view[7] as number };
}

/** Fits the coefficients, and each benchmark's error under coefficients fitted without it. */
export function fitCamp(camp: CampExports, benchmarks: readonly Benchmark[]): CampFit {
  const each = benchmarks.map((one) => {
    const others = fitOnce(
      camp,
      benchmarks.filter((other) => other !== one),
    );
    return { name: one.name, measured: one.slowdown, predicted: campSlowdown(camp, others, one.counters).slowdown };
  });
  const errors = each.map(({ name, measured, predicted }) => ({ name, error: Math.abs(predicted - measured) }));
  const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
  const mean = errors.reduce((sum, { error }) => sum + error, 0) / errors.length;
  return {
    coefficients: fitOnce(camp, benchmarks),
    benchmarks: benchmarks.length,
    leaveOneOut: { mean, worst: worst.error, worstName: worst.name },
    each,
  };
}
