// Hardware counters of our own inference by phase: instructions per cycle, misses, and the counted traffic beside the derived one.

import type { EpochSample } from "../core/epoch.js";
import type { BenchResult } from "../core/result.js";
import { targetName } from "../core/target.js";
import { LINE_BYTES } from "../core/units.js";
import { ABSENT, bytesText, digits } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";
import { distinct, measuredCases, modelTitle } from "./select.js";

const HARDWARE = ["cycles", "instructions", "llcMisses", "stallCycles"];

function total(epochs: readonly EpochSample[], name: string): number | null {
  const counts = epochs.map(({ counters }) => counters[name]);
  return counts.every((count) => count !== undefined)
    ? counts.reduce((sum: number, count) => sum + (count ?? 0), 0)
    : null;
}

const over = (a: number | null, b: number | null, text: (value: number) => string) =>
  a === null || !b ? ABSENT : text(a / b);

function phaseRow(epochs: readonly EpochSample[], names: readonly string[]): string[] {
  const counts = (name: string) => total(epochs, name);
  const nativeNs = epochs.reduce((sum, epoch) => sum + epoch.nativeNs, 0);
  const traffic = counts("trafficLines") ?? counts("llcMisses");
  const derived = epochs
    .flatMap(({ perPool }) => perPool)
    .reduce((sum, pool) => sum + pool.demandLines * LINE_BYTES + pool.streamedBytes, 0);
  return [
    ...names,
    over(counts("instructions"), counts("cycles"), (value) => value.toFixed(2)),
    over(counts("llcMisses"), counts("instructions"), (value) => digits(value * 1000)),
    over(counts("stallCycles"), counts("cycles"), (value) => `${digits(value * 100)} %`),
    over(counts("taskClockNs"), nativeNs, digits),
    traffic === null ? ABSENT : bytesText(traffic * LINE_BYTES),
    bytesText(Math.round(derived)),
  ];
}

/** null where this machine counts nothing of the hardware. */
export function counterSection(result: BenchResult, model: string): Section | null {
  const cases = measuredCases(result).filter(
    ({ model: own, epochs }) =>
      own === model && epochs.some(({ counters }) => HARDWARE.some((name) => name in counters)),
  );
  if (cases.length === 0) return null;
  const rows = cases.flatMap((entry) =>
    distinct(entry.epochs.map(({ phase }) => phase)).map((phase) =>
      phaseRow(
        entry.epochs.filter((epoch) => epoch.phase === phase),
        [targetName(entry.target), entry.quant, entry.test, phase],
      ),
    ),
  );
  const columns = [
    ...["target", "weights", "test", "phase"].map((label) => left(label)),
    right("instructions a cycle", ABSENT),
    right("misses per 1000 instructions", ABSENT),
    right("stalled", ABSENT),
    right("cores busy", ABSENT),
    right("counted reads", ABSENT),
    right("derived reads"),
  ];
  const notes = [
    "Counted over all threads of this process; reads are lines beyond the cache, derived from the operations alone.",
  ];
  return withoutDefaults({ title: `Counters: ${modelTitle(result, model)}`, columns, rows, notes });
}
