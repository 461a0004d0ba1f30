// The f64 ABI of build/epoch.wasm (docs/epoch-abi.md): writes host, pools, edges and stages, reads the solved epoch.

import type { EpochDelay } from "../core/epoch.js";
import { InputError } from "../core/errors.js";
import type { HostProfile } from "../core/host.js";
import type { Pool, Topology } from "../core/topology.js";
import type { StageTable } from "./stages.js";

/** Exports of build/epoch.wasm. */
export interface EpochExports {
  readonly memory: WebAssembly.Memory;
  hostAt(): number;
  poolsAt(): number;
  edgesAt(): number;
  stagesAt(): number;
  resultAt(): number;
  maxStages(pools: number): number;
  evaluate(pools: number, edges: number, stages: number): number;
}

/** f64 of one pool: 8 figures and 32 curve points. */
const POOL_NUMBERS = 72;

/** A solved epoch, and how far the largest of its equations is from balance, relative to its time. */
export interface Solved {
  readonly delay: EpochDelay;
  readonly residual: number;
}

function poolNumbers(pool: Pool, host: HostProfile, edges: readonly string[]): number[] {
  const far = pool.kind === "far";
  const memory = far ? pool : host;
  const path = far ? pool.path : [];
  return [
    host.idleNs + (far ? pool.readAdderNs : 0),
    host.idleNs + (far ? pool.writeAdderNs : 0),
    memory.readGBps,
    memory.mixedGBps,
    memory.writeGBps,
    memory.queueNs,
    memory.curve.length,
    path.reduce((mask, name) => mask + 2 ** edges.indexOf(name), 0),
    ...memory.curve.flatMap((point) => [point.bandwidthGBps, point.addedNs]),
  ];
}

/** Writes the machine; it holds for all epochs that follow. */
export function setMachine(epoch: EpochExports, topology: Topology, host: HostProfile, threads: number): void {
  const view = (at: number, length: number) => new Float64Array(epoch.memory.buffer, at, length);
  const names = topology.edges.map((edge) => edge.name);
  const { chase, stride, stream } = host.linesInFlight;
  view(epoch.hostAt(), 8).set([threads, chase, stride, stream, 0]);
  topology.pools.forEach((pool, i) => {
    view(epoch.poolsAt() + i * POOL_NUMBERS * 8, POOL_NUMBERS).set(poolNumbers(pool, host, names));
  });
  topology.edges.forEach((edge, i) => {
    view(epoch.edgesAt() + i * 16, 2).set([edge.latencyNs, edge.bandwidthGBps]);
  });
}

/** Solves one epoch on the machine set before. `measuredNs` 0 = take compute from the profile as it is. */
export function solveEpoch(epoch: EpochExports, topology: Topology, stages: StageTable, measuredNs: number): Solved {
  const pools = topology.pools.length;
  if (stages.length > epoch.maxStages(pools)) {
    const problem = `the placement makes ${stages.length} stages, more than the ${epoch.maxStages(pools)} that fit`;
    throw new InputError(`topology ${topology.name}`, "placement", problem, "Use fewer rules.");
  }
  new Float64Array(epoch.memory.buffer, epoch.hostAt(), 5)[4] = measuredNs;
  const numbers = stages.flat();
  new Float64Array(epoch.memory.buffer, epoch.stagesAt(), numbers.length).set(numbers);
  const code = epoch.evaluate(pools, topology.edges.length, stages.length);
  if (code !== 0) throw new InputError(`topology ${topology.name}`, "", `counts out of range (${code})`, "Shrink it.");
  const [localNs, placedNs, delayNs, latencyNs, bandwidthNs, congestionNs, writeBackNs, residual] = new Float64Array(
    epoch.memory.buffer,
    epoch.resultAt(),
    8,
  );
  const terms = { latencyNs, bandwidthNs, congestionNs, writeBackNs };
  return { delay: { localNs, placedNs, delayNs, terms }, residual };
}
