// What timed rounds do not pay for: counters are read in rounds of their own, and after the first pass one op list is moved from token
// to token. Neither changes what an epoch is.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Op } from "../../src/core/op.js";
import type { BenchResult } from "../../src/core/result.js";
import { epochRecorder } from "../../src/run/epochs.js";
import { benchTiny, steppingClock, TINY } from "./tiny-bench.js";

const [workload] = TINY.workloads;
const DECODE = {
  ...TINY,
  workloads: [{ ...workload, quants: ["int4-g32" as const], tests: ["tg4@d4"] }],
  quality: false,
};

function decodeOf(result: BenchResult) {
  const [entry] = result.cases;
  if (entry?.state !== "measured") throw new Error("nothing was measured");
  return entry;
}

test("counters are read around each epoch of rounds of their own", async () => {
  let reads = 0;
  const counters = {
    read() {
      reads++;
      return { instructions: 7 };
    },
  };
  const [few, many] = [2, 9];
  const counted = decodeOf(await benchTiny({ ...DECODE, rounds: few }, { counters }));
  const readsOfFew = reads;
  assert.ok(readsOfFew >= 2 * 4, "before and after each of four epochs");
  const more = decodeOf(await benchTiny({ ...DECODE, rounds: many }, { counters }));
  assert.is(reads - readsOfFew, readsOfFew, "not more of them with more timed rounds");
  for (const { epochs, samplesNs } of [counted, more]) {
    assert.ok(epochs.every((epoch) => epoch.counters.instructions === 7 && epoch.source === "perf"));
    assert.ok(samplesNs.length === few || samplesNs.length === many, "counted rounds are no samples");
  }
  const plain = decodeOf(await benchTiny({ ...DECODE, rounds: few }));
  assert.equal(counted.samplesNs, plain.samplesNs);
  assert.ok(plain.epochs.every((epoch) => Object.keys(epoch.counters).length === 0 && epoch.source === "traffic"));
});

test("epochs of many rounds are modelled as those of the only round are", async () => {
  const once = decodeOf(await benchTiny({ ...DECODE, rounds: 1, warmups: 0 }));
  const often = decodeOf(await benchTiny({ ...DECODE, rounds: 5, warmups: 2 }));
  assert.equal(
    often.rows.map(({ epochs }) => epochs),
    once.rows.map(({ epochs }) => epochs),
  );
  const misses =
    once.rows.at(-1)?.epochs.map(({ missBytes }) => missBytes.reduce((sum, bytes) => sum + bytes, 0)) ?? [];
  assert.ok(misses.length === 4 && (misses[3] as number) > (misses[0] as number), "each token has its own context");
});

test("a recorder keeps the lists of the first pass only", async () => {
  const recorder = epochRecorder(steppingClock(10));
  const list: Op[] = [{ kind: "copy", x: 0, xRow: 0, out: 1, outRow: 0, rows: 1 }];
  const pass = async (ops: readonly Op[]) => {
    await recorder.hook({ phase: "decode", ops }, async () => ({ outputs: [] }));
    return recorder.take();
  };
  assert.is(recorder.keepsOps(), true);
  const first = await pass(list);
  recorder.repeat(first);
  assert.is(recorder.keepsOps(), false);
  const [again] = await pass([{ kind: "copy", x: 5, xRow: 5, out: 5, outRow: 5, rows: 5 }]);
  assert.is(again?.ops, list);
});

test.run();
