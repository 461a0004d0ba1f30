// The delay models by name: `stall` by hand and its laws, `camp` from microbenchmarks, CXLMemSim's formulas as they are.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UnavailableError } from "../../src/core/errors.js";
import type { FarPool, Topology } from "../../src/core/topology.js";
import type { DELAY_MODELS, TraceEpoch, TraceTraffic } from "../../src/core/trace.js";
import { CAMP_EVENTS, fitCamp, parseBenchmarks } from "../../src/delay/camp.js";
import { type DelayExports, replayEpochs } from "../../src/delay/models.js";
import { refuses } from "../support/refuses.js";
import { farPool, host, random, topology } from "./fixture.js";
import { epoch as wasm } from "./solver.js";

const exports = wasm as DelayExports;
const traffic = (demandLines: number, streamedBytes = 0, writtenBytes = 0): TraceTraffic => ({
  ...{ chaseLines: 0, demandLines, streamedBytes, writtenBytes },
});
const traced = (nativeNs: number, counters: Record<string, number> = {}): TraceEpoch => ({
  ...{ line: 1, phase: "", nativeNs, perPool: [], counters },
});
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-8 * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

function delayOf(
  name: (typeof DELAY_MODELS)[number],
  memory: Topology,
  machine: ReturnType<typeof host>,
  epoch: TraceEpoch,
  pools: readonly TraceTraffic[],
) {
  const options = { topology: memory, host: machine, threads: 1, camp: null };
  return replayEpochs(exports, name, options, [{ epoch, pools }])[0];
}

test("stall: stall ns x share x (far - near) / near", () => {
  const memory = topology([farPool("cxl0", { readAdderNs: 150 })]);
  const pools = [traffic(250), traffic(750)];
  const { delay } = delayOf("stall", memory, host(), traced(1e6, { stallNs: 4e5 }), pools);
  near(delay.localNs, 1e6);
  near(delay.delayNs, 4e5 * 0.75 * 1.5);
  near(delay.terms.latencyNs, delay.delayNs);
});

test("stall: cycles become ns by the epoch's own clock, and stalls never exceed the epoch", () => {
  const memory = topology([farPool("cxl0", { readAdderNs: 100 })]);
  const pools = [traffic(0), traffic(100)];
  const delayNs = (counters: Record<string, number>) =>
    delayOf("stall", memory, host(), traced(1e6, counters), pools).delay.delayNs;
  near(delayNs({ stallCycles: 1e6, cycles: 4e6 }), 2.5e5);
  near(delayNs({ stallCycles: 9e6, cycles: 4e6 }), 1e6);
});

test("stall: a far pool's bandwidth bounds the epoch", () => {
  const memory = topology([farPool("cxl0", { readGBps: 10, mixedGBps: 10, writeGBps: 10 })]);
  const { delay } = delayOf("stall", memory, host(), traced(1e6, { stallNs: 1e5 }), [traffic(0), traffic(0, 2e7)]);
  near(delay.placedNs, 2e6);
  near(delay.terms.bandwidthNs, 1e6);
});

function rng(seed: number) {
  const next = random(seed);
  return (low: number, high: number) => low + (high - low) * next();
}

test("stall laws: 0 for equal memories, longer paths never shorten, terms sum to the delay, the residual is small", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const between = rng(seed);
    const queueNs = between(0, 80);
    const machine = host({ queueNs });
    const pools = [
      traffic(between(0, 5000), between(0, 1e7), between(0, 1e6)),
      traffic(between(1, 5000), between(0, 1e7)),
    ];
    const epoch = traced(between(2e5, 2e6), { stallNs: between(0, 2e5) });
    const memory = (fields: Partial<FarPool>) => topology([farPool("cxl0", { queueNs, ...fields })]);
    const all = [traffic(0), { ...pools[1] }];
    assert.is(delayOf("stall", memory({}), machine, epoch, all).delay.delayNs, 0, `seed ${seed}`);
    const adder = between(0, 300);
    const one = delayOf("stall", memory({ readAdderNs: adder }), machine, epoch, pools);
    const two = delayOf("stall", memory({ readAdderNs: adder + 50 }), machine, epoch, pools);
    assert.ok(two.delay.placedNs >= one.delay.placedNs * (1 - 1e-8), `seed ${seed}`);
    const { delay, residual } = one;
    const sum = Object.values(delay.terms).reduce((total, term) => total + term, 0);
    assert.ok(Math.abs(sum - delay.delayNs) <= 1e-9 * delay.placedNs, `seed ${seed}`);
    assert.ok(residual <= 1e-6);
  }
});

test("models whose events are missing are unavailable", () => {
  const memory = topology([farPool("cxl0")]);
  for (const name of ["stall", "camp", "cxlmemsim-v1"] as const) {
    assert.throws(
      () => delayOf(name, memory, host(), traced(1e6), [traffic(1), traffic(1)]),
      (error: unknown) => error instanceof UnavailableError && error.what.includes(name),
    );
  }
});

/** A microbenchmark of a machine whose slowdown is CAMP's own formula. */
function benchmark(seed: number): string {
  const between = rng(seed);
  const counters: Record<string, number> = Object.fromEntries(CAMP_EVENTS.map((name) => [name, between(1e6, 2e6)]));
  counters.cycles = 1e8;
  counters.stallsL3Miss = between(0, 5e7);
  counters.demandReads = 1e6;
  counters.demandReadCycles = between(20, 600) * 1e6;
  counters.stallsL1d = between(2e6, 4e7);
  counters.prefetches = between(2e6, 4e6);
  counters.boundOnStores = between(0, 2e7);
  const latency = counters.demandReadCycles / counters.demandReads;
  const demand = (counters.stallsL3Miss / 1e8) * (latency / (latency + 100));
  const late = counters.fillBufferHits / (counters.fillBufferHits + counters.l1Misses);
  const far = (counters.prefetches - counters.prefetchL3Hits) / counters.prefetches;
  const cache = far * late * ((counters.stallsL1d - counters.stallsL2) / 1e8);
  const slowdown = 1.4 * demand + 0.8 * cache + 0.5 * (counters.boundOnStores / 1e8) + 0.01;
  return JSON.stringify({ name: `b${seed}`, localNs: 1e6, farNs: 1e6 * (1 + slowdown), counters });
}

test("camp's coefficients are found again, each benchmark is predicted without itself", () => {
  const text = Array.from({ length: 24 }, (_, i) => benchmark(i + 1)).join("\n");
  const { coefficients, leaveOneOut, benchmarks } = fitCamp(exports, parseBenchmarks("b.jsonl", text));
  assert.is(benchmarks, 24);
  assert.ok(leaveOneOut.worst < 0.02, `${leaveOneOut.worst}`);
  assert.ok(Math.abs(coefficients.demand - 1.4) < 0.15 && Math.abs(coefficients.store - 0.5) < 0.05);
  const memory = topology([farPool("cxl0")]);
  const [line] = parseBenchmarks("b.jsonl", text);
  const options = { topology: memory, host: host(), threads: 1, camp: coefficients };
  const epoch = traced(1e6, { ...line.counters });
  const [{ delay }] = replayEpochs(exports, "camp", options, [{ epoch, pools: [traffic(10), traffic(30)] }]);
  assert.ok(Math.abs(delay.delayNs / (0.75e6 * line.slowdown) - 1) < 0.05);
});

test("camp's interleaving by hand: a third far of 3000 and 9000 stall cycles, loads 1.5 and 2", () => {
  const x = 1 / 3;
  const t1 = (3000 * (0.5 * (2 / 3) ** 3 + 2 / 3)) / 1.5;
  const t2 = (9000 * (1 * x ** 3 + x)) / 2;
  near(exports.campInterleaved(x, 3000, 9000, 1.5, 2), t1 + t2 - 3000);
});

test("camp's interleaving: nothing far costs exactly nothing, all far all, no load is linear, a loaded memory is relieved", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const between = rng(seed);
    const [near1, far1, load1, load2] = [between(1, 1e6), between(1, 2e6), between(1, 5), between(1, 5)];
    assert.is(exports.campInterleaved(0, near1, far1, load1, load2), 0);
    near(exports.campInterleaved(1, near1, far1, load1, load2), far1 - near1);
    const x = between(0.01, 0.99);
    near(exports.campInterleaved(x, near1, far1, 1, 1), x * (far1 - near1));
    assert.ok(exports.campInterleaved(x, near1, near1, load1, load2) <= 0, "equal memories never slow down");
  }
});

test("camp: an epoch that saturates its near memory gains from giving lines away", () => {
  const camp = { bend: 100, demand: 0.1, cache: 0, store: 0, constant: 0 };
  const counters = Object.fromEntries(CAMP_EVENTS.map((name) => [name, 1e6]));
  const epoch = traced(1e6, { ...counters, cycles: 3e6, stallsL3Miss: 2e6, demandReads: 1e5, demandReadCycles: 3e7 });
  const machine = host({ queueNs: 60 });
  const memory = topology([farPool("cxl0", { queueNs: 60 })]);
  const bytes = 0.95 * machine.readGBps * 1e6;
  const options = { topology: memory, host: machine, threads: 1, camp };
  const pools = (share: number) => [traffic(0, bytes * (1 - share)), traffic(0, bytes * share)];
  const delayOf = (share: number) => replayEpochs(exports, "camp", options, [{ epoch, pools: pools(share) }])[0].delay;
  assert.is(delayOf(0).delayNs, 0);
  assert.ok(delayOf(0.3).delayNs < 0 && delayOf(0.3).terms.bandwidthNs < 0, `${delayOf(0.3).delayNs}`);
  assert.ok(delayOf(1).delayNs > 0);
  const { terms, delayNs } = delayOf(0.3);
  near(
    Object.values(terms).reduce((total, term) => total + term, 0),
    delayNs,
  );
});

test("fewer than 16 microbenchmarks, or one without a counter, fit nothing", async () => {
  const lines = Array.from({ length: 15 }, (_, i) => benchmark(i + 1));
  await refuses(() => parseBenchmarks("b.jsonl", lines.join("\n")), /holds 15 microbenchmarks, fewer than 16/);
  const lame = benchmark(16).replace('"stallsL2"', '"other"');
  await refuses(() => parseBenchmarks("b.jsonl", [...lines, lame].join("\n")), /line 16: has no counter stallsL2/);
});

test("cxlmemsim HEAD: its published vectors, and the clamp that makes 1 ns into 1 ms", () => {
  const at = exports as unknown as Record<string, (...values: number[]) => number>;
  near(at.headPipelineNs(100, 110, 0), 146.25);
  assert.is(at.headDelayNs(708, 0, 0), 1e6);
  assert.is(at.headDelayNs(0.5, -3, 0), 5e5);
  assert.is(at.headDelayNs(0, 0, 0), 0);
  // base (200 + 250) / 2, miss ratio 0.1, remote 0.5, DRAM 110
  near(at.headRobNs(200, 250, 110, 512, 0.1, 0.5), 225 * 1.05 * 1.15 + 110 * 0.6);
  // 80 % of 48 GB/s: only 0.05 of one line's transfer time
  near(at.headBandwidthNs((0.8 * 48e6) / 64, 1e6, 1, 48, 48, 0.8, 254, 254), 0.05 * (64 / 48) * 0.8);
  assert.ok(at.headBandwidthNs(1e6, 1e5, 1, 48, 48, 0.8, 254, 254) <= 5000);
  // the inner division is of integers: 10 x 5 / 51 is 0
  assert.is(at.headWriteBack(1000, 1700, 10, 5, 50, 0, 100), 0);
});

test("cxlmemsim v1: stalls shared out by weight, a ratio less seconds for bandwidth", () => {
  const at = exports as unknown as Record<string, (...values: number[]) => number>;
  // 4e6 stall cycles at 4000 MHz = 1000 us; all misses, no hits: 1e6 ns / 85 ns
  near(at.v1Accesses(4e6, 4000, 4.1, 100, 100, 0, 85), 1e6 / 85);
  assert.is(at.v1WriteBacks(50, 100, 10), 100);
  assert.is(at.v1Bandwidth(100, 5, 0, 50000), 0);
  const observed = ((64 * 1e7) / 2 ** 20 / 5) * 1000;
  near(at.v1Bandwidth(1e7, 5, 0, 50000), (observed / 50000 - 0.005) * 1000);
});

test("every model answers a full epoch, and CXLMemSim's HEAD says 1 ms whatever the latency", () => {
  const counters = { cycles: 3e6, stallCycles: 1e6, llcMisses: 5e4, instructions: 4e6 };
  for (const readAdderNs of [10, 1000]) {
    const memory = topology([farPool("a", { readAdderNs }), farPool("b", { readAdderNs })]);
    const pools = [traffic(0), traffic(25000), traffic(25000)];
    assert.is(delayOf("cxlmemsim", memory, host(), traced(1e6, counters), pools).delay.delayNs, 1e6);
  }
});

test.run();
