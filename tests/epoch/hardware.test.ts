// The pure parts of `npm run validate -- --hardware`: predictions from a calibration that can be worked by hand, and the tables.

import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  cacheNsAt,
  type Demand,
  type HardwareFigures,
  loadAt,
  nothing,
  predictContended,
  predictPair,
} from "../../scripts/validate/hardware-predict.js";
import { errorOf, type HardwareResult, pairSection, withTables } from "../../scripts/validate/hardware-table.js";
import type { EpochExports } from "../../src/delay/solver.js";
import { nodePlatform } from "../../src/platform/node.js";

const bytes = await nodePlatform().wasm("epoch");
const { instance } = await WebAssembly.instantiate(bytes as BufferSource as ArrayBuffer);
const epoch = instance.exports as unknown as EpochExports;

/** Cache 5 ns, DRAM 100 ns, 10 lines in flight: 6.4 GB/s of streams, no added latency up to 100 GB/s. */
const figures: HardwareFigures = {
  cache: [
    { bytes: 1000, ns: 5 },
    { bytes: 3000, ns: 9 },
  ],
  ...{ dramNs: 100, chainNs: 1, probeNs: 2, strideLines: 10, streamLines: 10 },
  ...{ cacheGBps: 64, dramGBps: 6.4, bothGBps: 12.8, peakGBps: 100 },
  curve: [
    { bandwidthGBps: 1, addedNs: 0 },
    { bandwidthGBps: 100, addedNs: 0 },
  ],
  macRates: {},
  ownLines: { slow: 5 },
  startLines: { product: 2 },
  pace: {
    read: [
      { pause: 0, stepNs: 400 },
      { pause: 100, stepNs: 800 },
    ],
    store: [
      { pause: 0, stepNs: 512 },
      { pause: 100, stepNs: 1024 },
    ],
  },
};
const none: Demand = { ...nothing, bytes: 1000 };
const near = (actual: number, expected: number) => assert.ok(Math.abs(actual / expected - 1) < 1e-6, `${actual}`);

test("a chase slows by the latencies' ratio, chains until the core is the limit", () => {
  near(predictPair(epoch, figures, { ...none, chaseLines: 100 }).slowdown, 20);
  near(predictPair(epoch, figures, { ...none, chaseLines: 100, chains: 4 }).slowdown, 20);
  // eight chains: 62.5 ns in cache, but the core needs 100
  near(predictPair(epoch, figures, { ...none, chaseLines: 100, chains: 8, computeNs: 100 }).slowdown, 12.5);
});

test("a stream is bandwidth in cache and lines in flight in DRAM", () => {
  const { nearNs, farNs } = predictPair(epoch, figures, { ...none, streamLines: 1000 });
  near(nearNs, 1000);
  near(farNs, 10_000);
});

test("a kernel's own lines in flight give the second prediction", () => {
  const found = predictPair(epoch, figures, { ...none, streamLines: 1000, computeNs: 8000, kernel: "slow" });
  near(found.slowdown, 10 / 8);
  near(found.ownSlowdown, 20 / 8);
});

test("a product waits at the start of each stream, beside its arithmetic", () => {
  const found = predictPair(epoch, figures, { ...none, computeNs: 19_000, starts: 100, kernel: "product" });
  near(found.slowdown, 1);
  near(found.ownSlowdown, 2);
});

test("lines that come again are near in both", () => {
  const { farNs } = predictPair(epoch, figures, { ...none, strideLines: 60, repeatedLines: 40 });
  near(farNs, (60 * 100 + 40 * 5) / 10);
});

test("latency in cache and the co-runner's bandwidth lie between what was calibrated", () => {
  near(cacheNsAt(figures, 2000), 7);
  near(cacheNsAt(figures, 9000), 9);
  near(loadAt(figures, "read", 50).readGBps, 4096 / 600);
  assert.equal(loadAt(figures, "store", 0), { readGBps: 8, writeGBps: 8 });
});

test("a load costs nothing below the curve's knee, and time above it", () => {
  const demand = { ...none, streamLines: 1000 };
  near(predictContended(epoch, figures, demand, { readGBps: 10, writeGBps: 0 }).slowdown, 1);
  const steep = { ...figures, curve: [...figures.curve.slice(0, 1), { bandwidthGBps: 100, addedNs: 100 }] };
  assert.ok(predictContended(epoch, steep, demand, { readGBps: 50, writeGBps: 0 }).slowdown > 1.3);
});

test("the table shows hits and misses, and replaces itself in a document", () => {
  const predicted = predictPair(epoch, figures, { ...none, chaseLines: 100 });
  const times = { nearNs: 500, farNs: 12_500, nearSpread: [1, 1], farSpread: [1, 1], passes: 1 } as const;
  const result: HardwareResult = {
    ...{ schemaVersion: 1, kind: "hardware-validation", measuredAt: "b", seconds: 1, measuringLoad: "quiet" },
    predictions: {
      ...{ schemaVersion: 1, kind: "hardware-predictions", writtenAt: "a", machine: "m", variant: "simd" },
      ...{ calibrationLoad: "quiet", figures, pairs: [{ name: "chase", predicted }], contention: [] },
    },
    pairs: [times],
    contention: [],
  };
  near(errorOf(20, 25), -0.2);
  assert.match(pairSection(result).rows[0]?.join("|") ?? "", /20\.00x\|25\.00x\|-20 %/);
  const once = withTables("# Validation\n", result);
  assert.is(withTables(once, result), once);
  assert.match(once, /0 of 1 within 10 %/);
});

test.run();
