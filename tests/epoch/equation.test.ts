// The epoch equation on cases that can be worked out by hand.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { farPool, host, topology } from "./fixture.js";
import { solve } from "./solver.js";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-8 * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

// 100 ns, 20 lines in flight: 1000 lines take 5000 ns; 64 000 bytes at 50 GB/s take 1280 ns.
const far = topology([farPool("cxl0", { readAdderNs: 150, readGBps: 20, mixedGBps: 20, writeGBps: 20 })]);

test("a stream waits lines x latency / lines in flight", () => {
  const { localNs, placedNs, delayNs, terms } = solve(far, host(), [{ computeNs: 0, pools: [{}, { stream: 1000 }] }]);
  near(localNs, 5000);
  near(placedNs, (1000 * 250) / 20);
  near(delayNs, 7500);
  near(terms.latencyNs, 7500);
  near(terms.bandwidthNs, 0);
});

test("with many threads the pool's bandwidth takes over", () => {
  const { localNs, placedNs, terms } = solve(far, host(), [{ computeNs: 0, pools: [{}, { stream: 1000 }] }], {
    threads: 16,
  });
  near(localNs, 1280);
  near(placedNs, 64000 / 20);
  // latency alone: 1000 x 250 / 320 - 1000 x 100 / 320
  near(terms.latencyNs, 781.25 - 312.5);
  near(terms.bandwidthNs, 3200 - 1280 - (781.25 - 312.5));
});

test("a pure pointer chase slows by the ratio of the latencies", () => {
  const { localNs, placedNs } = solve(far, host(), [{ computeNs: 0, pools: [{}, { chase: 300 }] }]);
  near(placedNs / localNs, 2.5);
});

test("strided lines have their own number in flight", () => {
  near(solve(far, host(), [{ computeNs: 0, pools: [{ stride: 50 }] }]).localNs, 500);
});

test("tensors read one after another add, interleaved pools overlap their bandwidth", () => {
  const threads = 64;
  const one = solve(far, host(), [{ computeNs: 0, pools: [{ stream: 1000 }, { stream: 1000 }] }], { threads });
  const two = solve(
    far,
    host(),
    [
      { computeNs: 0, pools: [{ stream: 1000 }] },
      { computeNs: 0, pools: [{}, { stream: 1000 }] },
    ],
    { threads },
  );
  near(one.placedNs, 3200);
  near(two.placedNs, 1280 + 3200);
  near(one.localNs, two.localNs);
});

test("interleaving relieves saturated local memory: the delay is negative", () => {
  const pools = [{ stream: 3000 }, { stream: 1000 }];
  const { localNs, placedNs, delayNs } = solve(far, host(), [{ computeNs: 0, pools }], { threads: 64 });
  near(localNs, 5120);
  near(placedNs, 3840);
  assert.ok(delayNs < 0);
});

test("compute hides memory that is faster", () => {
  const stage = { computeNs: 10000, pools: [{}, { stream: 500 }] };
  assert.is(solve(far, host(), [stage]).delayNs, 0);
  near(solve(far, host(), [{ ...stage, pools: [{}, { stream: 1000 }] }]).delayNs, 12500 - 10000);
});

test("loaded latency follows the curve at the load that results", () => {
  // Latency 100 + 200 u over 50 GB/s; N = 60: T = lines (100 + 200 u) / 60 with u = 1280 / T.
  const curve = [
    { bandwidthGBps: 0.001, addedNs: 0.004 },
    { bandwidthGBps: 50, addedNs: 200 },
  ];
  const loaded = host({ curve, linesInFlight: { chase: 1, stride: 10, stream: 60 } });
  const { localNs } = solve(topology([]), loaded, [{ computeNs: 0, pools: [{ stream: 1000 }] }]);
  // T^2 - (100000 / 60) T - 200000 x 1280 / 60 = 0
  const half = 100000 / 120;
  near(localNs, half + Math.sqrt(half * half + (200000 * 1280) / 60));
});

test("without a curve the queue a u / (1 - u) at 1.2 times the peak adds", () => {
  const queued = host({ queueNs: 60 });
  const { localNs } = solve(topology([]), queued, [{ computeNs: 0, pools: [{ stream: 1000 }] }]);
  const u = 1280 / localNs / 1.2;
  near(localNs, (1000 * (100 + (60 * u) / (1 - u))) / 20);
});

test("two pools behind one link share it", () => {
  const edges = [{ name: "up", latencyNs: 50, bandwidthGBps: 10 }];
  const pool = { path: ["up"] };
  const shared = topology([farPool("a", pool), farPool("b", pool)], edges);
  const stage = { computeNs: 0, pools: [{}, { stream: 500 }, { stream: 500 }] };
  const { placedNs, terms } = solve(shared, host(), [stage]);
  // latency 1000 x 150 / 20 = 7500; link 64000 / 10 = 6400: the latency hides it
  near(placedNs, 7500);
  near(terms.congestionNs, 0);
  const crowded = solve(shared, host(), [stage], { threads: 4 });
  near(crowded.placedNs, 6400);
  near(crowded.terms.congestionNs, 6400 - 7500 / 4);
});

test("written lines cost bandwidth at the mix of reads and writes", () => {
  const { localNs, terms } = solve(
    far,
    host({ mixedGBps: 40 }),
    [{ computeNs: 0, pools: [{}, { stream: 1000, written: 500 }] }],
    { threads: 64 },
  );
  // 1000 lines half reads half writes at 40 GB/s, 500 reads at 50
  near(localNs, 64000 / 40 + 32000 / 50);
  near(terms.writeBackNs, 96000 / 20 - 3200 - (1600 + 640 - 1280));
});

test("a kernel that took longer than the profile says hides more", () => {
  const stages = [{ computeNs: 1000, pools: [{}, { stream: 1000 }] }];
  const measured = solve(far, host(), stages, { measuredNs: 9000 });
  near(measured.localNs, 9000);
  near(measured.delayNs, 12500 - 9000);
  near(solve(far, host(), stages, { measuredNs: 20000 }).delayNs, 0);
  // faster than the model: its own times stand
  near(solve(far, host(), stages, { measuredNs: 100 }).delayNs, 7500);
});

test.run();
