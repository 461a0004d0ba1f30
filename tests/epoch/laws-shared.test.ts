// The laws where memories have curve families and other hosts: random epochs over the shipped devices behind random links.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BackgroundLoad, FarPool, Topology } from "../../src/core/topology.js";
import { loadDefaultHost, loadTopology, SHIPPED_DEVICES } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";
import { random, topology } from "./fixture.js";
import { epoch, type Lines, type Stage, solve } from "./solver.js";

const CASES = 200;
/** The search ends within 1e-9 of the root. */
const SLACK = 1 + 1e-8;
const platform = nodePlatform();
const machine = await loadDefaultHost(platform);
const local = { kind: "local", name: "dram", capacityBytes: 1e12 };
const text = JSON.stringify({
  ...{ schemaVersion: 1, name: "all" },
  pools: [local, ...SHIPPED_DEVICES.map((device) => ({ kind: "far", name: device, path: [], device }))],
});
const readText = async (path: string) => (path === "all.json" ? text : platform.readText(path));
const devices = (await loadTopology({ ...platform, readText }, "all.json")).pools.slice(1) as FarPool[];

interface Case {
  readonly between: (low: number, high: number) => number;
  readonly memory: Topology;
  readonly stages: readonly Stage[];
  readonly threads: number;
}

function draw(seed: number): Case {
  const next = random(seed);
  const between = (low: number, high: number) => low + (high - low) * next();
  const edges = ["e0", "e1"].map((name) => ({ name, latencyNs: between(0, 100), bandwidthGBps: between(10, 80) }));
  const pools = Array.from({ length: 1 + Math.floor(between(0, 3)) }, (_, i): FarPool => {
    const device = devices[Math.floor(next() * devices.length)];
    return { ...device, name: `p${i}`, path: edges.filter(() => next() < 0.5).map(({ name }) => name) };
  });
  const loads = pools
    .filter(() => next() < 0.5)
    .map((pool): BackgroundLoad => {
      const crossed = pool.path.filter(() => next() < 0.5);
      return { host: "h", pool: pool.name, readGBps: between(0, 40), writeGBps: between(0, 20), edges: crossed };
    });
  const some = (most: number) => (next() < 0.4 ? 0 : between(0, most));
  const lines = (): Lines => ({ chase: some(100), stride: some(2000), stream: some(20000), written: some(10000) });
  const stages = [{ computeNs: some(1e5), pools: [lines(), ...pools.map(lines)] }];
  return { between, memory: { ...topology(pools, edges), loads }, stages, threads: Math.ceil(between(0, 16)) };
}

function check(name: string, law: (c: Case, seed: number) => void): void {
  test(name, () => {
    for (let seed = 1; seed <= CASES; seed++) law(draw(seed), seed);
  });
}

const placed = ({ memory, stages, threads }: Case, change: Partial<Case> = {}) =>
  solve(change.memory ?? memory, machine, change.stages ?? stages, { threads }).placedNs;

check("more of another host never makes it shorter, and it never gets less than its fair share", (c, seed) => {
  const loads = (c.memory.loads ?? []).map((load) => ({ ...load, readGBps: load.readGBps + c.between(0, 20) }));
  const more = placed(c, { memory: { ...c.memory, loads } });
  assert.ok(more * SLACK >= placed(c), `seed ${seed}`);
  const alone = placed(c, { memory: { ...c.memory, loads: [] } });
  assert.ok(placed(c) * SLACK >= alone, `seed ${seed}: alone`);
});

check("more lines never make it shorter", (c, seed) => {
  const kind = (["chase", "stride", "stream", "written"] as const)[seed % 4];
  const at = Math.floor(c.between(0, c.memory.pools.length));
  const stages = c.stages.map((stage) => ({
    ...stage,
    pools: stage.pools.map((lines, i) =>
      i === at ? { ...lines, [kind]: (lines[kind] ?? 0) + c.between(1, 5000) } : lines,
    ),
  }));
  assert.ok(placed(c, { stages }) * SLACK >= placed(c), `seed ${seed}: ${kind} in pool ${at}`);
});

check("a longer path and less bandwidth never make it shorter", (c, seed) => {
  const slower = c.memory.pools.map((pool) =>
    pool.kind === "far" ? { ...pool, readAdderNs: pool.readAdderNs + c.between(0, 100) } : pool,
  );
  assert.ok(placed(c, { memory: { ...c.memory, pools: slower } }) * SLACK >= placed(c), `seed ${seed}: latency`);
  const factor = c.between(0.3, 1);
  const edges = c.memory.edges.map((edge) => ({ ...edge, bandwidthGBps: edge.bandwidthGBps * factor }));
  const quiet = { ...c.memory, loads: [] };
  assert.ok(
    placed(c, { memory: { ...quiet, edges } }) * SLACK >= placed(c, { memory: quiet }),
    `seed ${seed}: bandwidth`,
  );
});

check("terms sum to the delay; without other hosts there is no term for them", (c, seed) => {
  const { delayNs, localNs, placedNs, terms } = solve(c.memory, machine, c.stages, { threads: c.threads });
  const sum = Object.values(terms).reduce((total, term) => total + term, 0);
  assert.ok(Math.abs(sum - delayNs) <= 1e-9 * (localNs + placedNs), `seed ${seed}`);
  const alone = solve({ ...c.memory, loads: [] }, machine, c.stages, { threads: c.threads });
  assert.not("otherHostsNs" in alone.terms);
});

check("memories equal to the local one give exactly 0", (c, seed) => {
  const { readGBps, mixedGBps, writeGBps, queueNs, curve, mixCurves = [] } = machine;
  const own = { readGBps, mixedGBps, writeGBps, queueNs, curve, mixCurves, readAdderNs: 0, writeAdderNs: 0, path: [] };
  const pools = c.memory.pools.map((pool) => (pool.kind === "far" ? { ...pool, ...own } : pool));
  const home = seed % pools.length;
  const stages = c.stages.map((stage) => ({
    ...stage,
    pools: stage.pools.map((lines, i) => (i === home ? lines : {})),
  }));
  const { delayNs } = solve({ ...c.memory, pools, loads: [] }, machine, stages, { threads: c.threads });
  assert.is(delayNs, 0, `seed ${seed}`);
});

test("the latency of a shipped device rises with its load, at every mix", () => {
  for (const device of devices) {
    solve(topology([device]), machine, [{ computeNs: 1, pools: [] }]);
    for (const share of [0, 0.2, 1 / 3, 0.45, 0.5]) {
      let before = 0;
      for (let gbps = 0.5; gbps < 80; gbps += 0.5) {
        const ns = epoch.latencyNs(1, gbps * (1 - share), gbps * share);
        assert.ok(ns * SLACK >= before, `${device.name} at ${gbps} GB/s, ${share} written`);
        before = ns;
      }
    }
  }
});

test.run();
