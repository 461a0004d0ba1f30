// The epoch loop over a scripted session and clock: what passed before the program was let go is no part of its first epoch, epochs that
// come together are told one by one, and the end has its own.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CountedEpoch } from "../../src/core/counters.js";
import type { WatchedEpoch } from "../../src/core/watch.js";
import { watch } from "../../src/run/watch.js";
import { openDebt } from "../../src/run/watch-inject.js";

const MS = 1e6;

const epoch = (nativeNs: number): CountedEpoch => ({
  ...{ nativeNs, threads: [{ tid: 1, onCpuNs: nativeNs }], counters: {}, regions: [], runningShare: 1, lost: 0 },
});

test("epochs start when the program does, and those of a batch follow one another", async () => {
  // Opened 5 ms before the start at 100 ms; read at 120 and at 130 ms, ended at 134 ms.
  const [reads, ends] = [
    [[15 * MS, 10 * MS], [10 * MS]],
    [120 * MS, 130 * MS, 134 * MS],
  ];
  let turn = 0;
  const told: WatchedEpoch[] = [];
  const session = {
    read: () => (reads[turn - 1] ?? []).map(epoch),
    finish: async () => [epoch(4 * MS)],
    notes: [],
    close: () => {},
  };
  const parts = {
    ...{ session, pools: 1, debt: null, keepBack: null, slowFactor: null },
    clock: { nowNs: () => ends[Math.max(0, turn - 1)] as number },
    wait: async () => ++turn === 3,
    regions: () => [],
    place: () => [],
    evaluate: () => null,
    stopped: () => false,
    onEpoch: (one: WatchedEpoch) => void told.push(one),
  };
  const ending = await watch(parts, { startNs: 100 * MS, epochNs: 10 * MS, durationNs: null });
  assert.equal(
    told.map(({ index, startNs, nativeNs }) => [index, startNs / MS, nativeNs / MS]),
    [
      [0, 0, 10],
      [1, 10, 10],
      [2, 20, 10],
      [3, 30, 4],
    ],
  );
  assert.equal(ending, { programEnded: true, wallNs: 34 * MS });
});

/** Two epochs of 10 ms and a last one of 4, slowed by a half; what was stopped and kept back. */
async function slowed(
  ends: boolean,
  canKeepBack: boolean,
): Promise<{ stops: number[]; kept: number[]; asked: number }> {
  let turn = 0;
  const [stops, kept]: number[][] = [[], []];
  const debt = openDebt((ns) => {
    stops?.push(ns / MS);
    return ns;
  });
  const session = { read: () => [epoch(10 * MS)], finish: async () => [epoch(4 * MS)], notes: [], close: () => {} };
  const keepBack = async (ns: number) => {
    kept?.push(ns / MS);
    return ns;
  };
  await watch(
    {
      ...{ session, pools: 1, debt, keepBack: canKeepBack ? keepBack : null, slowFactor: 1.5 },
      clock: { nowNs: () => turn * 10 * MS },
      wait: async () => ++turn === 3 && ends,
      regions: () => [],
      place: () => [],
      evaluate: () => null,
      stopped: () => turn === 3,
      onEpoch: () => {},
    },
    { startNs: 0, epochNs: 10 * MS, durationNs: null },
  );
  return { stops: stops ?? [], kept: kept ?? [], asked: debt.requestedNs / MS };
}

test("the last epoch's delay keeps the end back; where the program runs on it is a stop, where the end is not ours it is not owed", async () => {
  // What was stood is no part of the epoch after: 10 ms less 5 are 5 of its own, 4 less 2.5 are 1.5.
  const [first, second] = [5, 2.5];
  assert.equal(await slowed(true, true), { stops: [first, second], kept: [0.75], asked: 8.25 });
  assert.equal(await slowed(false, true), { stops: [first, second, 0.75], kept: [], asked: 8.25 });
  assert.equal(await slowed(true, false), { stops: [first, second], kept: [], asked: 7.5 });
});

test.run();
