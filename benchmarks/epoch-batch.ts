// How many epochs of a trace are solved a second? Random epochs under one thread, by number of pools and of epochs; the
// largest residual of all of them; and an hour of 1 ms epochs over four pools. Nothing is allocated in the timed loop.

import type { Platform } from "../src/core/ports.js";
import type { FarPool, Topology } from "../src/core/topology.js";
import { type DelayExports, openDelayModels } from "../src/delay/models.js";
import { setMachine } from "../src/delay/solver.js";
import { loadDefaultHost, loadTopology } from "../src/placement/topology.js";
import { random, topology } from "../tests/epoch/fixture.js";
import { middle, show } from "./samples.js";

const DISTINCT = 8192;

/** Chunks of random epochs as the batch takes them; half of them write. */
function chunksOf(wasm: DelayExports, pools: number): Float64Array[] {
  const next = random(pools);
  const most = wasm.maxEach(pools);
  const stage = 1 + 4 * pools;
  const row = () => {
    const dirty = next() < 0.5 ? 1 : 0;
    const lines = () => [0, 8000 * next(), 30000 * next(), dirty * 8000 * next()].map((value) => value / pools);
    return [1e5 * next(), ...Array.from({ length: pools }, lines).flat()];
  };
  const count = Math.ceil(DISTINCT / most);
  return Array.from({ length: count }, () => {
    const chunk = new Float64Array(most * stage);
    chunk.set(Array.from({ length: most }, row).flat());
    return chunk;
  });
}

/** Solves at least `epochs` epochs; ns and how many they were. */
function solve(
  platform: Platform,
  wasm: DelayExports,
  memory: Topology,
  chunks: readonly Float64Array[],
  epochs: number,
) {
  const pools = memory.pools.length;
  const most = wasm.maxEach(pools);
  const input = new Float64Array(wasm.memory.buffer, wasm.stagesAt(), most * (1 + 4 * pools));
  const calls = Math.ceil(epochs / most);
  const start = platform.clock.nowNs();
  for (let call = 0; call < calls; call++) {
    input.set(chunks[call % chunks.length]);
    wasm.evaluateEach(0, pools, memory.edges.length, most);
  }
  return { ns: platform.clock.nowNs() - start, amount: calls * most };
}

function largestResidual(wasm: DelayExports, memory: Topology, chunks: readonly Float64Array[]): number {
  const pools = memory.pools.length;
  const most = wasm.maxEach(pools);
  let worst = 0;
  for (const chunk of chunks) {
    new Float64Array(wasm.memory.buffer, wasm.stagesAt(), chunk.length).set(chunk);
    wasm.evaluateEach(0, pools, memory.edges.length, most);
    const out = new Float64Array(wasm.memory.buffer, wasm.eachAt(), most * 8);
    worst = out.reduce((most, value, i) => (i % 8 === 7 && value > most ? value : most), worst);
  }
  return worst;
}

/** Prints solved pool-epochs a second and what an hour of epochs takes. */
export async function epochBatch(platform: Platform, rounds: number): Promise<void> {
  const wasm = await openDelayModels(platform);
  const host = await loadDefaultHost(platform);
  const shipped = await loadTopology(platform, "cxl-switch");
  const device = shipped.pools[1] as FarPool;
  const memoryOf = (pools: number) =>
    topology(
      Array.from({ length: pools - 1 }, (_, i) => ({ ...device, name: `cxl${i}` })),
      shipped.edges,
    );
  console.log("epochs of a trace in batches, model traffic, one thread (A1000 curve families behind one shared link):");
  for (const pools of [1, 2, 4, 8, 16]) {
    const memory = memoryOf(pools);
    setMachine(wasm, memory, host, 8);
    const chunks = chunksOf(wasm, pools);
    solve(platform, wasm, memory, chunks, 20000);
    const cells = [2000, 20000, 200000 / pools].map((epochs) => {
      const rates = Array.from({ length: Math.max(5, rounds >> 2) }, () => {
        const { ns, amount } = solve(platform, wasm, memory, chunks, epochs);
        return (amount * pools * 1e3) / ns;
      });
      return `${Math.round(epochs)} epochs ${show(middle(rates))}`;
    });
    const residual = largestResidual(wasm, memory, chunks).toExponential(1);
    console.log(`  ${String(pools).padStart(2)} pools: M pool-epochs/s ${cells.join("  ")}  residual <= ${residual}`);
  }
  const memory = memoryOf(4);
  setMachine(wasm, memory, host, 8);
  const { ns, amount } = solve(platform, wasm, memory, chunksOf(wasm, 4), 3_600_000);
  console.log(`  an hour of 1 ms epochs over 4 pools (${amount}): ${(ns / 1e9).toFixed(2)} s`);
}
