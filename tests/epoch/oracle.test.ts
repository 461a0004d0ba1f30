// The solved equation against the closed-loop simulator over random topologies: fixed point, congestion of shared links, and
// the share that other hosts leave. Within 5 % in each case.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BackgroundLoad, Edge, FarPool } from "../../src/core/topology.js";
import { simulate, type World } from "./des.js";
import { farPool, host, random, topology } from "./fixture.js";
import { solve } from "./solver.js";

const CASES = 30;
const LINES = 20000;
const MOST = 0.05;

interface Case {
  readonly pools: readonly FarPool[];
  readonly edges: readonly Edge[];
  readonly loads: readonly BackgroundLoad[];
  readonly shares: readonly number[];
  readonly inFlight: number;
  readonly writesPerRead: number;
}

function draw(seed: number, wants: { edges: boolean; loads: boolean; writes: boolean }): Case {
  const next = random(seed);
  const between = (low: number, high: number) => low + (high - low) * next();
  const edges = wants.edges
    ? ["e0", "e1"].map((name) => ({ name, latencyNs: between(0, 60), bandwidthGBps: between(8, 50) }))
    : [];
  const pools = Array.from({ length: 1 + Math.floor(between(0, 3)) }, (_, i) => {
    const readGBps = between(10, 60);
    const path = edges.filter(() => next() < 0.6).map(({ name }) => name);
    const rates = { readGBps, mixedGBps: readGBps * between(0.8, 1.2), writeGBps: readGBps };
    return farPool(`p${i}`, { ...rates, readAdderNs: between(50, 300), queueNs: between(0, 100), path });
  });
  const raw = pools.map(() => between(0.2, 1));
  const loads = wants.loads
    ? pools.slice(0, 2).map((pool, i): BackgroundLoad => {
        const edges = next() < 0.5 ? pool.path : [];
        return { host: `h${i}`, pool: pool.name, readGBps: pool.readGBps * between(0.1, 0.9), writeGBps: 0, edges };
      })
    : [];
  const sum = raw.reduce((a, b) => a + b, 0);
  const writesPerRead = wants.writes ? between(0, 0.8) : 0;
  const inFlight = Math.round(between(2, 120));
  return { pools, edges, loads, shares: raw.map((share) => share / sum), inFlight, writesPerRead };
}

function worldOf({ pools, edges, loads, shares, inFlight, writesPerRead }: Case): World {
  const indexOf = (names: readonly string[]) => names.map((name) => edges.findIndex((edge) => edge.name === name));
  return {
    inFlight,
    lines: LINES,
    links: edges.map(({ bandwidthGBps }) => ({ readNs: 64 / bandwidthGBps, writeNs: 64 / bandwidthGBps })),
    memories: pools.map((pool, i) => {
      const hops = pool.path.reduce((ns, name) => ns + (edges.find((edge) => edge.name === name)?.latencyNs ?? 0), 0);
      const idle = 100 + pool.readAdderNs + hops;
      return {
        readNs: 64 / pool.readGBps,
        writeNs: 64 * (2 / pool.mixedGBps - 1 / pool.readGBps),
        latencyNs: (u) => idle + (pool.queueNs * (u / 1.2)) / (1 - u / 1.2),
        path: indexOf(pool.path),
        share: shares[i],
        writesPerRead,
      };
    }),
    others: loads.map(({ pool, readGBps, edges: crossed }) => ({
      memory: pools.findIndex(({ name }) => name === pool),
      linesPerNs: readGBps / 64,
      path: indexOf(crossed),
    })),
  };
}

function solved({ pools, edges, loads, shares, inFlight, writesPerRead }: Case): number {
  const machine = host({ linesInFlight: { chase: 1, stride: 1, stream: inFlight } });
  const stage = shares.map((share) => ({ stream: LINES * share, written: LINES * share * writesPerRead }));
  return solve({ ...topology(pools, edges), loads }, machine, [{ computeNs: 0, pools: [{}, ...stage] }]).placedNs;
}

const PARTS: [name: string, wants: { edges: boolean; loads: boolean; writes: boolean }][] = [
  ["fixed point of pools alone", { edges: false, loads: false, writes: false }],
  ["congestion of shared links", { edges: true, loads: false, writes: false }],
  ["reads and write-backs", { edges: true, loads: false, writes: true }],
  ["fair share beside other hosts", { edges: true, loads: true, writes: false }],
];

for (const [name, wants] of PARTS) {
  test(name, () => {
    const errors = Array.from({ length: CASES }, (_, i) => {
      const one = draw(i + 1, wants);
      return Math.abs(solved(one) / simulate(worldOf(one)) - 1);
    });
    const worst = Math.max(...errors);
    const mean = errors.reduce((sum, error) => sum + error, 0) / CASES;
    console.log(`${name}: mean ${(100 * mean).toFixed(1)} %, worst ${(100 * worst).toFixed(1)} % of ${CASES}`);
    assert.ok(worst <= MOST);
  });
}

test.run();
