// The host probe turns measurements into a profile by Little's law; the knee of the chase gives the cache.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MIB } from "../../src/core/units.js";
import { hostDoubts } from "../../src/run/host-doubts.js";
import { cacheKnee, probeHost } from "../../src/run/probe.js";
import { host } from "./fixture.js";

// A machine of 80 ns DRAM and a 20 MiB cache of 20 ns; a core keeps 8 chains going at once and reads 12 GB/s.
const memory = {
  measureChaseNs: async (bytes: number, chains: number) => (bytes <= 20 * MIB ? 20 : 80 * Math.max(1, chains / 8)),
  measureReadGBps: async (_bytes: number, streams: number, threads: number) => (streams === 1 ? 10 : 12) * threads,
};
const fallback = host({ readGBps: 50, mixedGBps: 40, writeGBps: 30 });

/** The same machine beside a neighbour who comes and goes: every third call takes five times as long. */
function disturbed() {
  let calls = 0;
  const slow = () => (calls++ % 3 === 0 ? 5 : 1);
  return {
    measureChaseNs: async (bytes: number, chains: number) => slow() * (await memory.measureChaseNs(bytes, chains)),
    measureReadGBps: async (bytes: number, streams: number, threads: number) =>
      (await memory.measureReadGBps(bytes, streams, threads)) / slow(),
  };
}

const parts = {
  memory,
  computeRate: async (family: string) => (family === "f32" ? 5e9 : null),
  threads: 2,
  toldLlcBytes: null,
  fallback,
};

test("lines in flight are bandwidth x latency / 64", async () => {
  const profile = await probeHost(parts);
  assert.is(profile.idleNs, 80);
  assert.is(profile.linesInFlight.chase, 1);
  assert.is(profile.linesInFlight.stride, 8);
  assert.is(profile.linesInFlight.stream, (12 * 80) / 64);
  assert.is(profile.readGBps, 24);
  assert.is(profile.mixedGBps, (24 * 40) / 50);
  assert.is(profile.source, "measured");
});

test("rates come from kernel runs, the rest from the fallback", async () => {
  const profile = await probeHost(parts);
  assert.is(profile.computeRates.f32, 5e9);
  assert.is(profile.computeRates.int8, fallback.computeRates.int8);
});

test("the cache is the largest buffer that is nearer to the cache's latency than to DRAM's", async () => {
  assert.is((await probeHost(parts)).llcBytes, 16 * MIB);
  assert.is((await probeHost({ ...parts, toldLlcBytes: 4 * MIB })).llcBytes, 4 * MIB);
  assert.is(cacheKnee([{ bytes: MIB, ns: 80 }], 80), 0);
});

test("equal measurements have equal hashes, other ones others", async () => {
  const first = await probeHost(parts);
  assert.is((await probeHost(parts)).hash, first.hash);
  assert.match(first.hash, /^[0-9a-f]{16}$/);
  assert.is.not((await probeHost({ ...parts, threads: 1 })).hash, first.hash);
});

test("the best round counts: a neighbour who comes and goes changes nothing", async () => {
  const quiet = await probeHost(parts);
  const noisy = await probeHost({ ...parts, memory: disturbed() });
  assert.is(noisy.hash, quiet.hash);
  assert.equal(hostDoubts(noisy), []);
});

test("figures that no machine has are doubted, shipped profiles are not", async () => {
  const slow = { ...memory, measureChaseNs: async () => 617 };
  const profile = await probeHost({ ...parts, memory: slow });
  assert.is(hostDoubts(profile).length, 2);
  assert.match(hostDoubts(profile)[0], /idle latency 617 ns/);
  assert.match(hostDoubts(profile)[1], /cache of 0 MiB/);
  assert.equal(hostDoubts({ ...profile, source: "assumed" }), []);
});

test.run();
