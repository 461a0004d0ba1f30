// From measurements to a profile by hand: cache levels, the monotone curve, lines in flight, far bandwidth.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KIB, MIB } from "../../src/core/units.js";
import * as analysis from "../../src/run/calibrate-analysis.js";

const point = (bytes: number, nearNs: number) => ({ bytes, nearNs, randomNs: nearNs });
// 32 KiB of 2 ns, 1 MiB of 6 ns, 16 MiB of 30 ns, DRAM of 100 ns; 2 MiB lies between two levels.
const CHASE = [
  point(16 * KIB, 2),
  point(32 * KIB, 2.1),
  point(512 * KIB, 6),
  point(MIB, 6.5),
  point(2 * MIB, 16),
  point(8 * MIB, 30),
  point(16 * MIB, 35),
  point(32 * MIB, 90),
  point(64 * MIB, 100),
];

test("levels are plateaus of two sizes or more", () => {
  assert.equal(analysis.cacheLevels(CHASE, 100), [
    { name: "L1", bytes: 32 * KIB, ns: 2 },
    { name: "L2", bytes: MIB, ns: 6 },
    { name: "L3", bytes: 16 * MIB, ns: 30 },
    { name: "DRAM", bytes: 0, ns: 100 },
  ]);
  assert.is(analysis.effectiveCache(CHASE, 100), 16 * MIB);
  assert.is(analysis.effectiveCache([point(MIB, 90)], 100), 0);
});

test("a latency above that of a heavier load is a neighbour's: a little is lowered, much is dropped", () => {
  const raw = [
    { kind: "read" as const, gbps: 10, ns: 103 },
    { kind: "read" as const, gbps: 15, ns: 348 },
    { kind: "read" as const, gbps: 20, ns: 100 },
    { kind: "read" as const, gbps: 30, ns: 150 },
    { kind: "read" as const, gbps: 30.1, ns: 190 },
  ];
  const curve = analysis.monotoneCurve(raw);
  assert.equal(
    curve.map(({ gbps, ns, kept }) => [gbps, ns, kept]),
    [
      [10, 100, true],
      [15, 348, false],
      [20, 100, true],
      [30, 150, true],
      [30.1, 190, false],
    ],
  );
  assert.equal(analysis.loadedCurve(curve, 32).curve, [
    { bandwidthGBps: 10, addedNs: 0 },
    { bandwidthGBps: 20, addedNs: 0 },
    { bandwidthGBps: 30, addedNs: 50 },
  ]);
  assert.equal(analysis.loadedCurve(curve, 60).curve, [], "far from the peak the queue stands in");
  assert.is(analysis.loadedCurve(curve, 1000).queueNs, 0, "very far from it even that is unknown");
});

test("the queue's parameter is found again in its own points", () => {
  const a = 20;
  const points = [6, 30, 54].map((bandwidthGBps) => {
    const v = bandwidthGBps / 72;
    return { bandwidthGBps, addedNs: (a * v) / (1 - v) };
  });
  assert.ok(Math.abs(analysis.fitQueueNs(points, 60) - a) < 1e-9);
  assert.is(analysis.fitQueueNs([], 60), 0);
});

test("lines in flight are bandwidth times loaded latency", () => {
  const idle = { idleNs: 100, queueNs: 0, peakGBps: 64 };
  assert.equal(analysis.chainPoint(8, 100, idle), { chains: 8, stepNs: 100, gbps: 5.12, linesInFlight: 8 });
  // At a quarter of the capacity 1.2 x 64 = 76.8 the queue adds 30 x (1/4) / (3/4) = 10 ns.
  const { linesInFlight } = analysis.chainPoint(30, 100, { ...idle, queueNs: 30 });
  assert.ok(Math.abs(linesInFlight - (19.2 * 110) / 64) < 1e-9);
});

test("far bandwidth is an interval where the core was the limit", () => {
  assert.equal(analysis.farBandwidth(10, 100, 40, true, [100]), [{ adderNs: 100, lowGBps: 3.2, highGBps: 3.2 }]);
  assert.equal(analysis.farBandwidth(10, 100, 8, false, [100]), [{ adderNs: 100, lowGBps: 3.2, highGBps: 8 }]);
});

test.run();
