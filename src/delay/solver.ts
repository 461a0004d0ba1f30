// The f64 ABI of build/epoch.wasm (docs/epoch-abi.md): writes host, pools, edges and stages, reads the solved epoch.

import type { EpochDelay } from "../core/epoch.js";
import { InputError } from "../core/errors.js";
import type { HostProfile, MixCurve } from "../core/host.js";
import type { FarPool, Pool, Topology } from "../core/topology.js";
import type { StageTable } from "./stages.js";

/** Exports of build/epoch.wasm. */
export interface EpochExports {
  readonly memory: WebAssembly.Memory;
  hostAt(): number;
  poolsAt(): number;
  curvesAt(): number;
  edgesAt(): number;
  loadsAt(): number;
  stagesAt(): number;
  resultAt(): number;
  eachAt(): number;
  maxStages(pools: number): number;
  maxEach(pools: number): number;
  prepare(pools: number, edges: number, loads: number): number;
  latencyNs(pool: number, readGBps: number, writtenGBps: number): number;
  evaluate(pools: number, edges: number, stages: number): number;
  evaluateEach(model: number, pools: number, edges: number, epochs: number): number;
}

/** f64 of one pool: 8 figures and 4 entries of 3 for its curves. */
const POOL_NUMBERS = 24;
const MAX_CURVES = 4;
/** Points that the curves of all pools may have; equal curves are stored once. */
const MAX_POINTS = 768;

/** A solved epoch, and how far the largest of its equations is from balance, relative to its time. */
export interface Solved {
  readonly delay: EpochDelay;
  readonly residual: number;
}

/** All curves of a memory, reads only first. */
function familyOf(memory: HostProfile | FarPool): MixCurve[] {
  if (memory.curve.length === 0) return [];
  return [{ writeShare: 0, points: memory.curve }, ...(memory.mixCurves ?? [])].slice(0, MAX_CURVES);
}

/** Curve points of all pools one after another, each distinct curve once. */
class PointTable {
  readonly numbers: number[] = [];
  readonly #firstOf = new Map<string, number>();

  /** Index of a curve's first point. */
  put(curve: MixCurve): number {
    const numbers = curve.points.flatMap((point) => [point.bandwidthGBps, point.addedNs]);
    const key = numbers.join();
    const known = this.#firstOf.get(key);
    if (known !== undefined) return known;
    const first = this.numbers.length / 2;
    this.numbers.push(...numbers);
    this.#firstOf.set(key, first);
    return first;
  }
}

function poolNumbers(pool: Pool, host: HostProfile, edges: readonly string[], table: PointTable): number[] {
  const far = pool.kind === "far";
  const memory = far ? pool : host;
  const path = far ? pool.path : [];
  const curves = familyOf(memory);
  return [
    host.idleNs + (far ? pool.readAdderNs : 0),
    host.idleNs + (far ? pool.writeAdderNs : 0),
    memory.readGBps,
    memory.mixedGBps,
    memory.writeGBps,
    memory.queueNs,
    edgeMask(path, edges),
    curves.length,
    ...curves.flatMap((curve) => [curve.writeShare, table.put(curve), curve.points.length]),
  ];
}

function edgeMask(path: readonly string[], edges: readonly string[]): number {
  return path.reduce((mask, name) => mask + 2 ** edges.indexOf(name), 0);
}

/** Writes the machine; it holds for all epochs that follow. Throws InputError for more than fits. */
export function setMachine(epoch: EpochExports, topology: Topology, host: HostProfile, threads: number): void {
  const view = (at: number, length: number) => new Float64Array(epoch.memory.buffer, at, length);
  const { pools, edges } = topology;
  const loads = topology.loads ?? [];
  const edgeNames = edges.map((edge) => edge.name);
  const poolNames = pools.map((pool) => pool.name);
  const { chase, stride, stream } = host.linesInFlight;
  const table = new PointTable();
  const rows = pools.map((pool) => poolNumbers(pool, host, edgeNames, table));
  if (table.numbers.length > 2 * MAX_POINTS) {
    const problem = `its curves have ${table.numbers.length / 2} points, more than ${MAX_POINTS}`;
    throw new InputError(`topology ${topology.name}`, "pools", problem, "Use shorter curves.");
  }
  view(epoch.hostAt(), 8).set([threads, chase, stride, stream, 0]);
  for (const [i, row] of rows.entries()) view(epoch.poolsAt() + i * POOL_NUMBERS * 8, POOL_NUMBERS).set(row);
  view(epoch.curvesAt(), table.numbers.length).set(table.numbers);
  for (const [i, { latencyNs, bandwidthGBps }] of edges.entries()) {
    view(epoch.edgesAt() + i * 16, 2).set([latencyNs, bandwidthGBps]);
  }
  for (const [i, load] of loads.entries()) {
    const mask = edgeMask(load.edges, edgeNames);
    view(epoch.loadsAt() + i * 32, 4).set([poolNames.indexOf(load.pool), load.readGBps, load.writeGBps, mask]);
  }
  const code = epoch.prepare(pools.length, edges.length, loads.length);
  if (code !== 0) throw new InputError(`topology ${topology.name}`, "", `counts out of range (${code})`, "Shrink it.");
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
  const [localNs, placedNs, delayNs, latencyNs, bandwidthNs, congestionNs, writeBackNs, residual, otherHostsNs] =
    new Float64Array(epoch.memory.buffer, epoch.resultAt(), 9);
  const own = { latencyNs, bandwidthNs, congestionNs, writeBackNs };
  const terms = topology.loads?.length ? { ...own, otherHostsNs } : own;
  return { delay: { localNs, placedNs, delayNs, terms }, residual };
}
