// The epoch loop over a scripted session and clock: what passed before the program was let go is no part of its first epoch, epochs that
// come together are told one by one, and the end has its own.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CountedEpoch } from "../../src/core/counters.js";
import type { WatchedEpoch } from "../../src/core/watch.js";
import { watch } from "../../src/run/watch.js";

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
    ...{ session, pools: 1, debt: null, slowFactor: null },
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

test.run();
