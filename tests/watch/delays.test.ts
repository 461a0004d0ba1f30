// From lines and threads to delays: shares of regions, threads side by side, debts that are paid in stops, sums, alignment.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { lacking } from "../../src/cli/parts/watch-vain.js";
import type { CountedEpoch } from "../../src/core/counters.js";
import type { EpochDelay } from "../../src/core/epoch.js";
import type { PlacedRegion } from "../../src/core/regions.js";
import type { WatchedEpoch } from "../../src/core/watch.js";
import { alignEpochs } from "../../src/run/watch-align.js";
import { activity, delayOf, type EpochWork, poolLines, residentShares } from "../../src/run/watch-epoch.js";
import { LEAST_STOP_NS, openDebt } from "../../src/run/watch-inject.js";
import { openTotals } from "../../src/run/watch-totals.js";

const MS = 1e6;

function region(startAddress: number, sizeBytes: number, far: number): PlacedRegion {
  const facts = { startAddress, sizeBytes, residentBytes: sizeBytes, name: "", kind: "anon" as const, writable: true };
  return { region: facts, shares: [1 - far, far] };
}

function epoch(more: Partial<CountedEpoch> = {}): CountedEpoch {
  return {
    nativeNs: 10 * MS,
    threads: [{ tid: 1, onCpuNs: 10 * MS }],
    counters: {},
    regions: [],
    runningShare: 1,
    lost: 0,
    ...more,
  };
}

/** A model that a hand can follow: 100 ns for each far line that is waited for, divided by the threads. */
function evaluate({ nativeNs, pools, threads }: EpochWork): EpochDelay {
  const [, cxl] = pools;
  const delayNs = (((cxl?.chaseLines ?? 0) + (cxl?.demandLines ?? 0) / 10) * 100) / threads;
  const terms = { latencyNs: delayNs, bandwidthNs: 0, congestionNs: 0, writeBackNs: 0 };
  return { localNs: nativeNs, placedNs: nativeNs + delayNs, delayNs, terms };
}

const lines = (startAddress: number, sizeBytes: number, irregular: readonly [number, number]) => ({
  ...{ startAddress, sizeBytes, name: "", irregularLines: irregular },
  ...{ streamLines: [64, 64] as const, strideLines: [0, 0] as const, writtenLines: [0, 0] as const },
});

test("lines lie where their region lies; irregular ones wait at the high end only", () => {
  const placed = [region(0x1000, 0x1000, 1), region(0x2000, 0x1000, 0)];
  const counted = epoch({ regions: [lines(0x1000, 0x1000, [10, 20]), lines(0x1800, 0x1000, [0, 8])] });
  const [low, high] = poolLines(counted, placed, 2) ?? [];
  assert.equal(low?.[1], { chaseLines: 0, demandLines: 10, streamedBytes: (64 + 32) * 64, writtenBytes: 0 });
  assert.equal(high?.[1], { chaseLines: 20 + 4, demandLines: 0, streamedBytes: (64 + 32) * 64, writtenBytes: 0 });
  assert.is(high?.[0]?.chaseLines, 4);
});

test("without addresses misses are spread by what is in memory; without misses there are no lines", () => {
  const placed = [region(0x1000, 0x3000, 1), region(0x4000, 0x1000, 0)];
  assert.equal(residentShares(placed, 2), [0.25, 0.75]);
  assert.equal(residentShares([], 2), [1, 0]);
  const [low, high] = poolLines(epoch({ counters: { llcMisses: 400, writtenLines: 4 } }), placed, 2) ?? [];
  assert.is(low?.[1]?.demandLines, 300);
  assert.is(high?.[1]?.chaseLines, 300);
  assert.is(poolLines(epoch({ counters: { cycles: 5 } }), placed, 2), null);
});

test("four threads side by side: the slowest alone to the sum of all", () => {
  const threads = [4, 4, 4, 8].map((ms, tid) => ({ tid, onCpuNs: ms * MS }));
  const counted = epoch({ threads, counters: { llcMisses: 1000 } });
  assert.equal(activity(counted, 10 * MS), { onCpuNs: 20 * MS, slowestNs: 8 * MS, parallel: 2.5 });
  const pools = poolLines(counted, [region(0, 4096, 1)], 2);
  const delay = delayOf(counted, 10 * MS, pools, evaluate);
  // 2.5 threads are rounded to 3 in the model.
  assert.is(Math.round(delay?.slowestNs[1] ?? 0), Math.round(100_000 / 3));
  assert.is(Math.round(delay?.sumNs[1] ?? 0), Math.round((100_000 / 3) * 2.5));
  assert.ok((delay?.slowestNs[0] ?? 1) < (delay?.slowestNs[1] ?? 0));
});

test("one thread alone costs the same side by side and one after another, however late /proc tells its time", () => {
  const late = { threads: [{ tid: 1, onCpuNs: 13 * MS }], regions: [lines(0, 4096, [1000, 1000])] };
  assert.equal(activity(epoch({ ...late, counters: {} }), 10 * MS), {
    onCpuNs: 13 * MS,
    slowestNs: 10 * MS,
    parallel: 1,
  });
  const delay = delayOf(
    epoch({ ...late, counters: {} }),
    10 * MS,
    poolLines(epoch(late), [region(0, 4096, 1)], 2),
    evaluate,
  );
  assert.ok((delay?.slowestNs[1] ?? 0) > 0);
  assert.equal(delay?.slowestNs, delay?.sumNs);
  // A task clock is read a moment after the epoch's; of threads that ended meanwhile it alone tells.
  const clocked = (ns: number) => activity(epoch({ ...late, counters: { taskClockNs: ns } }), 10 * MS).parallel;
  assert.is(clocked(10.2 * MS), 1);
  assert.is(clocked(20 * MS), 2);
  const two = epoch({ threads: [1, 2].map((tid) => ({ tid, onCpuNs: 12 * MS })), counters: {} });
  assert.is(activity(two, 10 * MS).parallel, 2);
});

test("a model is in vain only where no event of the source can do", () => {
  const events = (...names: string[]) => names.map((event) => ({ event, available: true as const, detail: "" }));
  for (const stall of ["stallCycles", "stallsL3Miss", "stallsL2"]) {
    assert.is(lacking("perf", events("cycles", stall), "stall"), null);
    assert.is(lacking("perf", events("cycles", stall), "cxlmemsim-v1"), null);
    assert.match(lacking("perf", events("llcMisses", stall), "stall") ?? "", "no cycles");
  }
  assert.match(lacking("perf", events("cycles", "llcMisses"), "stall") ?? "", "no stallCycles");
  assert.match(lacking("perf", events("cycles", "llcMisses"), "camp") ?? "", "model camp needs");
  assert.match(lacking("perf", events("cycles", "taskClockNs"), null) ?? "", "no event of memory");
  for (const source of ["perf", "breakpoint", "emulated"] as const) {
    assert.is(lacking(source, events("llcMisses"), null), null);
    assert.is(lacking(source, events("llcMisses"), "traffic"), null);
  }
  assert.match(lacking("none", [], null) ?? "", "counts nothing");
});

test("a thread that did not run has no delay", () => {
  const counted = epoch({ threads: [], counters: { taskClockNs: 0, llcMisses: 3 } });
  assert.is(delayOf(counted, MS, null, evaluate), null);
});

test("debts below 100 us wait, what a stop took is what was paid, and zero delay never stops", () => {
  const stops: number[] = [];
  const debt = openDebt((ns) => {
    stops.push(ns);
    return ns + 20_000;
  });
  assert.is(debt.owe(60_000, 0), 0);
  assert.is(debt.owe(60_000, 0), 140_000);
  assert.equal(stops, [120_000]);
  // 20 us were paid too much.
  assert.is(debt.owe(110_000, 0), 0);
  assert.is(debt.owe(LEAST_STOP_NS, 0), 210_000);
  for (let i = 0; i < 1000; i++) assert.is(debt.owe(0, 50_000), 0);
  assert.is(debt.owe(-5 * MS, 0), 0);
  assert.is(debt.requestedNs, 330_000);
  assert.is(debt.achievedNs, 350_000);
  assert.is(debt.stops, 2);
});

test("our own overhead is part of the delay", () => {
  const debt = openDebt((ns) => ns);
  assert.is(debt.owe(500_000, 150_000), 350_000);
  assert.is(debt.achievedNs, 500_000);
});

test("what is owed at the end, a rest below 100 us too, is paid by keeping the end back", () => {
  const debt = openDebt((ns) => ns);
  assert.is(debt.owe(60_000, 0), 0);
  assert.is(debt.oweLast(300_000, 10_000), 350_000);
  debt.keptBack(350_400);
  assert.equal([debt.requestedNs, debt.achievedNs, debt.atEndNs, debt.stops], [360_000, 360_400, 350_400, 0]);
  const overpaid = openDebt((ns) => ns + 50_000);
  overpaid.owe(100_000, 0);
  assert.is(overpaid.oweLast(20_000, 0), 0);
});

test("a program that cannot be stopped is owed, not paid", () => {
  const debt = openDebt(() => 0);
  assert.is(debt.owe(5 * MS, 0), 0);
  assert.is(debt.achievedNs, 0);
});

function watched(index: number, delayNs: number | null): WatchedEpoch {
  const solved = delayNs === null ? null : evaluate({ nativeNs: MS, threads: 1, pools: [], counters: {} });
  const span = [delayNs ?? 0, delayNs ?? 0] as const;
  const delay = solved
    ? { slowestNs: span, sumNs: [span[0] * 2, span[1] * 2] as const, low: solved, high: solved }
    : null;
  const times = { startNs: index * MS, nativeNs: MS, onCpuNs: MS, threads: [{ tid: 1, onCpuNs: MS }], injectedNs: 0 };
  return { index, ...times, counters: { faults: 2, probes: index }, runningShare: 1, lost: 0, pools: null, delay };
}

test("sums hold however many epochs there are, and the history stays short", () => {
  const book = openTotals();
  for (let i = 0; i < 20_000; i++) book.add(watched(i, i < 10_000 ? null : MS));
  const total = book.total();
  assert.is(total.epochs, 20_000);
  assert.is(total.nativeNs, 20_000 * MS);
  assert.is(total.counters.faults, 40_000);
  assert.is(total.counters.probes, 19_999);
  // Over the half whose delays are known: 1 + 1 at the low end, 1 + 2 at the high.
  assert.equal(total.slowdown, [2, 3]);
  const history = book.history();
  assert.ok(history.length <= 4001);
  assert.is(
    history.reduce((sum, { nativeNs }) => sum + nativeNs, 0),
    20_000 * MS,
  );
  assert.is(openTotals().total().slowdown, null);
});

test("emulated epochs take their share of a native run by instructions", () => {
  const one = (instructions: number) => epoch({ nativeNs: null, counters: { instructions } });
  const aligned = alignEpochs([one(100), one(300)], 8 * MS);
  assert.equal(
    aligned.map(({ nativeNs }) => nativeNs),
    [2 * MS, 6 * MS],
  );
  assert.is(aligned[1]?.threads[0]?.onCpuNs, 6 * MS);
  // Half of the time the program waited: only the other half was spent on the processor.
  const waited = alignEpochs([one(100), one(300)], 8 * MS, 4 * MS);
  assert.is(waited[1]?.nativeNs, 6 * MS);
  assert.is(waited[1]?.threads[0]?.onCpuNs, 3 * MS);
  assert.is(waited[1]?.counters.taskClockNs, 3 * MS);
  try {
    alignEpochs([one(0)], MS);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /no instructions/);
  }
});

test.run();
