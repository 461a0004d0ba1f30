// Other hosts on a pool, worked out by hand: who asks for less than an equal share gets it all, the rest is split equally.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BackgroundLoad } from "../../src/core/topology.js";
import { farPool, host, topology } from "./fixture.js";
import { epoch, solve } from "./solver.js";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-8 * expected, `${actual} is not ${expected}`);
const load = (readGBps: number, edges: string[] = [], pool = "p"): BackgroundLoad => {
  return { host: "other", pool, readGBps, writeGBps: 0, edges };
};
// 64 000 bytes; enough lines in flight that only bandwidth counts
const greedy = host({ linesInFlight: { chase: 1, stride: 1, stream: 1e6 } });
const stage = { computeNs: 0, pools: [{}, { stream: 1000 }] };
const GBPS = 64000;

/** GB/s that we get of a pool of 50 GB/s beside others that read at those rates. */
function ours(...others: number[]): number {
  const memory = { ...topology([farPool("p")]), loads: others.map((rate) => load(rate)) };
  return GBPS / solve(memory, greedy, [stage]).placedNs;
}

test("what others do not ask for is ours", () => near(ours(10), 40));
test("one greedy host leaves us half", () => near(ours(45), 25));
test("a modest and a greedy host: the modest one keeps its 10, two share the rest", () => near(ours(10, 45), 20));
test("two greedy hosts leave a third", () => near(ours(30, 45), 50 / 3));
test("hosts that ask for more than there is still leave us our share", () => near(ours(100, 100, 100), 12.5));

test("a shared link is split the same way, and a host squeezed there asks less of the pool", () => {
  const edges = [{ name: "up", latencyNs: 0, bandwidthGBps: 20 }];
  const memory = { ...topology([farPool("p", { path: ["up"] })], edges), loads: [load(45, ["up"])] };
  near(GBPS / solve(memory, greedy, [stage]).placedNs, 10);
});

test("the load of others adds to the latency and is a term of its own", () => {
  const memory = topology([farPool("p", { readAdderNs: 150, queueNs: 60 })]);
  const one = host({ linesInFlight: { chase: 1, stride: 1, stream: 1 }, queueNs: 60 });
  const chase = [{ computeNs: 0, pools: [{}, { chase: 1000 }] }];
  const alone = solve(memory, one, chase);
  const beside = solve({ ...memory, loads: [load(30)] }, one, chase);
  assert.ok(beside.placedNs > alone.placedNs);
  near(beside.terms.otherHostsNs ?? 0, beside.placedNs - alone.placedNs);
  // 64 bytes in T / 1000 ns besides 30 GB/s, of 50
  const v = ((64 * 1000) / beside.placedNs + 30) / 50 / 1.2;
  near(beside.placedNs, 1000 * (250 + (60 * v) / (1 - v)));
  near(epoch.latencyNs(1, 0, 0), 250 + (60 * 0.5) / 0.5);
});

test("a load on local memory slows both sides", () => {
  const memory = { ...topology([farPool("p")]), loads: [load(40, [], "dram")] };
  const local = solve(memory, greedy, [{ computeNs: 0, pools: [{ stream: 1000 }] }]);
  near(GBPS / local.localNs, 25);
  assert.is(local.delayNs, 0);
});

test.run();
