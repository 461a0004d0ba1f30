// The laws of the epoch model over random machines, topologies and stages.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CurvePoint, HostProfile } from "../../src/core/host.js";
import type { FarPool, Topology } from "../../src/core/topology.js";
import { farPool, host, random, topology } from "./fixture.js";
import { type Lines, type Stage, solve } from "./solver.js";

const CASES = 300;
/** Bisection stops at 1e-9 of the time. */
const SLACK = 1 + 1e-8;

function rng(seed: number) {
  const next = random(seed);
  const between = (low: number, high: number) => low + (high - low) * next();
  const whole = (low: number, high: number) => Math.floor(between(low, high + 1));
  return { next, between, whole };
}

type Rng = ReturnType<typeof rng>;

function mix({ between }: Rng) {
  const readGBps = between(5, 100);
  const writeGBps = between(5, 100);
  return { readGBps, writeGBps, mixedGBps: between(0.5, 2) * Math.min(readGBps, writeGBps) };
}

function curve({ next, between, whole }: Rng, peak: number): CurvePoint[] {
  if (next() < 0.4) return [];
  let [x, y] = [0, 0];
  const points = Array.from({ length: whole(2, 12) }, () => {
    x += between(0.1, 10);
    y += next() < 0.3 ? 0 : between(0, 60);
    return { bandwidthGBps: x, addedNs: y };
  });
  return points.map((point) => ({ ...point, bandwidthGBps: (point.bandwidthGBps * peak) / x }));
}

function randomHost(r: Rng): HostProfile {
  const rates = mix(r);
  const linesInFlight = { chase: 1, stride: r.between(2, 16), stream: r.between(8, 60) };
  const idleNs = r.between(60, 150);
  return host({ ...rates, idleNs, linesInFlight, curve: curve(r, rates.readGBps), queueNs: r.between(0, 100) });
}

/** Up to four far pools, each behind up to two of three links. */
function randomTopology(r: Rng): Topology {
  const edges = ["e0", "e1", "e2"].map((name) => ({
    name,
    latencyNs: r.between(0, 100),
    bandwidthGBps: r.between(5, 80),
  }));
  const pools = Array.from({ length: r.whole(1, 4) }, (_, i): FarPool => {
    const rates = mix(r);
    const readAdderNs = r.between(0, 400);
    const path = edges.filter(() => r.next() < 0.4).map((edge) => edge.name);
    const writeAdderNs = r.between(0, 400);
    const own = { ...rates, readAdderNs, writeAdderNs, queueNs: r.between(0, 300) };
    return farPool(`cxl${i}`, { ...own, curve: curve(r, rates.readGBps), path });
  });
  return topology(pools, edges);
}

function randomLines({ next, between }: Rng): Lines {
  const some = (most: number) => (next() < 0.5 ? 0 : between(0, most));
  return { chase: some(100), stride: some(1000), stream: some(10000), written: some(5000) };
}

function randomStages(r: Rng, { pools }: Topology): Stage[] {
  return Array.from({ length: r.whole(1, 4) }, () => ({
    computeNs: r.next() < 0.5 ? 0 : r.between(0, 1e5),
    pools: pools.map(() => randomLines(r)),
  }));
}

interface Case {
  readonly r: Rng;
  readonly machine: HostProfile;
  readonly memory: Topology;
  readonly stages: Stage[];
  readonly threads: number;
}

function check(name: string, law: (c: Case, seed: number) => void): void {
  test(name, () => {
    for (let seed = 1; seed <= CASES; seed++) {
      const r = rng(seed);
      const machine = randomHost(r);
      const memory = randomTopology(r);
      law({ r, machine, memory, stages: randomStages(r, memory), threads: r.whole(1, 16) }, seed);
    }
  });
}

const far = (memory: Topology, change: (pool: FarPool, index: number) => FarPool): Topology => ({
  ...memory,
  pools: memory.pools.map((pool, i) => (pool.kind === "far" ? change(pool, i) : pool)),
});

check("equal memories give exactly 0", ({ r, machine, memory, threads }, seed) => {
  const { readGBps, mixedGBps, writeGBps, curve, queueNs } = machine;
  const same = { readGBps, mixedGBps, writeGBps, curve, queueNs, readAdderNs: 0, writeAdderNs: 0, path: [] };
  const equal = far(memory, (pool) => ({ ...pool, ...same }));
  const stages = Array.from({ length: 3 }, (): Stage => {
    const home = r.whole(0, memory.pools.length - 1);
    const pools = memory.pools.map((_, i) => (i === home ? randomLines(r) : {}));
    return { computeNs: r.between(0, 1e4), pools };
  });
  const { delayNs, terms } = solve(equal, machine, stages, { threads });
  assert.is(delayNs, 0, `seed ${seed}`);
  for (const term of Object.values(terms)) assert.is(term, 0, `seed ${seed}`);
});

check("more misses never make it shorter", ({ r, machine, memory, stages, threads }, seed) => {
  const before = solve(memory, machine, stages, { threads });
  const kind = (["chase", "stride", "stream", "written"] as const)[r.whole(0, 3)];
  const at = r.whole(0, memory.pools.length - 1);
  const more = stages.map((stage) => ({
    ...stage,
    pools: stage.pools.map((lines, i) =>
      i === at ? { ...lines, [kind]: (lines[kind] ?? 0) + r.between(1, 2000) } : lines,
    ),
  }));
  const after = solve(memory, machine, more, { threads });
  assert.ok(after.placedNs * SLACK >= before.placedNs, `seed ${seed}: ${kind} in pool ${at}`);
  assert.ok(after.localNs * SLACK >= before.localNs, `seed ${seed}: local`);
});

check("a longer path never makes it shorter", ({ r, machine, memory, stages, threads }, seed) => {
  const before = solve(memory, machine, stages, { threads });
  const slower = far(memory, (pool) => ({
    ...pool,
    readAdderNs: pool.readAdderNs + r.between(0, 200),
    writeAdderNs: pool.writeAdderNs + 200,
  }));
  const edges = memory.edges.map((edge) => ({ ...edge, latencyNs: edge.latencyNs + r.between(0, 50) }));
  const after = solve({ ...slower, edges }, machine, stages, { threads });
  assert.ok(after.placedNs * SLACK >= before.placedNs, `seed ${seed}`);
});

check("less bandwidth never makes it shorter", ({ r, machine, memory, stages, threads }, seed) => {
  const before = solve(memory, machine, stages, { threads });
  const factor = r.between(0.2, 1);
  const narrow = far(memory, (pool) => ({
    ...pool,
    readGBps: pool.readGBps * factor,
    mixedGBps: pool.mixedGBps * factor,
    writeGBps: pool.writeGBps * factor,
  }));
  const edges = memory.edges.map((edge) => ({ ...edge, bandwidthGBps: edge.bandwidthGBps * factor }));
  const after = solve({ ...narrow, edges }, machine, stages, { threads });
  assert.ok(after.placedNs * SLACK >= before.placedNs, `seed ${seed}`);
});

check(
  "no epoch is faster than its bytes at the peak of a pool or link",
  ({ machine, memory, stages, threads }, seed) => {
    const { placedNs } = solve(memory, machine, stages, { threads });
    const reads = (pool: number) =>
      stages.reduce((sum, { pools }) => {
        const { chase = 0, stride = 0, stream = 0 } = pools[pool];
        return sum + chase + stride + stream;
      }, 0);
    memory.pools.forEach((pool, i) => {
      const peak = pool.kind === "far" ? pool.readGBps : machine.readGBps;
      const mixed = pool.kind === "far" ? pool.mixedGBps : machine.mixedGBps;
      assert.ok(placedNs * SLACK >= (reads(i) * 64) / Math.max(peak, mixed), `seed ${seed}: ${pool.name}`);
    });
    memory.edges.forEach((edge) => {
      const bytes = memory.pools.reduce(
        (sum, pool, i) => sum + (pool.kind === "far" && pool.path.includes(edge.name) ? reads(i) * 64 : 0),
        0,
      );
      assert.ok(placedNs * SLACK >= bytes / edge.bandwidthGBps, `seed ${seed}: ${edge.name}`);
    });
  },
);

check("the terms sum to the delay, and the delay is the difference", ({ machine, memory, stages, threads }, seed) => {
  const { localNs, placedNs, delayNs, terms } = solve(memory, machine, stages, { threads });
  const sum = terms.latencyNs + terms.bandwidthNs + terms.congestionNs + terms.writeBackNs;
  assert.is(delayNs, placedNs - localNs);
  assert.ok(Math.abs(sum - delayNs) <= 1e-9 * (localNs + placedNs), `seed ${seed}: ${sum} is not ${delayNs}`);
});

check("a pure chase slows by the ratio of the latencies", ({ machine, memory }, seed) => {
  const quiet = { ...machine, curve: [], queueNs: 0 };
  const lone = far(memory, (pool) => ({ ...pool, curve: [], queueNs: 0, path: [] }));
  const pool = lone.pools[1];
  if (pool.kind !== "far") throw new Error("the second pool is far");
  const { localNs, placedNs } = solve(lone, quiet, [{ computeNs: 0, pools: [{}, { chase: 1000 }] }]);
  const ratio = (machine.idleNs + pool.readAdderNs) / machine.idleNs;
  // one line in flight needs under 1.1 GB/s, less than any pool here has
  assert.ok(Math.abs(placedNs / localNs / ratio - 1) < 1e-9, `seed ${seed}`);
});

check("the same input gives the same bits", ({ machine, memory, stages, threads }) => {
  assert.equal(solve(memory, machine, stages, { threads }), solve(memory, machine, stages, { threads }));
});

test.run();
