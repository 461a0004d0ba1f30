// Sorts the ops of an epoch into stages for build/epoch.wasm. Ops run one after another, so their times add; ops of one
// kernel family whose misses lie in the same homes overlap compute and memory alike and share a stage. Where a tensor
// lies in several pools one range after the other, its op is cut into one part a pool.

import type { OpMisses, TensorMiss } from "../core/delay.js";
import type { PoolTraffic } from "../core/epoch.js";
import { InputError } from "../core/errors.js";
import { COMPUTE_FAMILIES, type HostProfile } from "../core/host.js";
import type { PlacedTensors, TensorHome } from "../core/topology.js";
import { LINE_BYTES } from "../core/units.js";

/** Kinds of lines: chase, stride, stream, written. */
const KINDS = 4;
/** Pools and interleaved homes that one key can tell apart. */
const MAX_HOMES = 30;

/** [stages, 1 + 4 * pools] under one assumption about the cache: compute ns, then by pool the lines of each kind. */
export type StageTable = readonly (readonly number[])[];

/** The homes of a placement, numbered so that a set of them is a bit mask: first each single pool, then the interleaved ones. */
interface HomeIndex {
  readonly pools: number;
  readonly homes: readonly TensorHome[];
  readonly homeOf: readonly number[];
  /** [homes] pools with a share. */
  readonly poolsOf: readonly (readonly number[])[];
}

export function indexHomes(placed: PlacedTensors): HomeIndex {
  const { homes, homeOf } = placed;
  const pools = placed.topology.pools.length;
  if (pools + homes.length > MAX_HOMES) {
    const problem = `${homes.length - 1} rules over ${pools} pools`;
    throw new InputError("--placement", placed.rules.join(" "), problem, `Use at most ${MAX_HOMES - pools - 1} rules.`);
  }
  const poolsOf = homes.map((home) => home.shares.flatMap((share, pool) => (share > 0 ? [pool] : [])));
  return { pools, homes, homeOf, poolsOf };
}

const isSplit = (index: HomeIndex, home: number) => !index.homes[home].interleaved && index.poolsOf[home].length > 1;

/** The split home that most of the op's lines lie in, or -1. */
function splittingHome(op: OpMisses, index: HomeIndex): number {
  let best = -1;
  let most = 0;
  for (const miss of op.misses) {
    const home = index.homeOf[miss.tensor];
    const size = miss.chaseLines[1] + miss.strideLines[1] + miss.streamLines[1] + miss.writtenLines[1];
    if (size > most && isSplit(index, home)) [best, most] = [home, size];
  }
  return best;
}

/** Bit of a home: that of its pool when it has only one, or when it is the split home and this part reads `pool`. */
function homeBit(index: HomeIndex, home: number, splitHome: number, pool: number): number {
  if (home === splitHome) return 1 << pool;
  const pools = index.poolsOf[home];
  return 1 << (pools.length === 1 ? pools[0] : index.pools + home);
}

type Lines = readonly (readonly [number, number])[];
const kindsOf = (miss: TensorMiss): Lines => [miss.chaseLines, miss.strideLines, miss.streamLines, miss.writtenLines];

class StageBuilder {
  readonly #indexByKey = new Map<number, number>();
  readonly low: number[][] = [];
  readonly high: number[][] = [];

  constructor(
    readonly index: HomeIndex,
    readonly host: HostProfile,
    readonly threads: number,
  ) {}

  #stage(key: number): number {
    const known = this.#indexByKey.get(key);
    if (known !== undefined) return known;
    const zeros = () => new Array<number>(1 + KINDS * this.index.pools).fill(0);
    this.#indexByKey.set(key, this.low.length);
    this.high.push(zeros());
    return this.low.push(zeros()) - 1;
  }

  /** Adds one part of an op: all of it, or the `share` that reads `pool` of the split home. */
  #addPart(op: OpMisses, computeNs: number, share: number, splitHome: number, pool: number): void {
    let mask = 0;
    for (const miss of op.misses) mask |= homeBit(this.index, this.index.homeOf[miss.tensor], splitHome, pool);
    const family = mask === 0 ? 0 : COMPUTE_FAMILIES.indexOf(op.family);
    const stage = this.#stage(family * 2 ** MAX_HOMES + mask);
    const [low, high] = [this.low[stage], this.high[stage]];
    low[0] += computeNs * share;
    high[0] += computeNs * share;
    for (const miss of op.misses) {
      const home = this.index.homeOf[miss.tensor];
      const only = home === splitHome ? [pool] : this.index.poolsOf[home];
      for (const target of only) {
        const part = home === splitHome ? share : share * this.index.homes[home].shares[target];
        kindsOf(miss).forEach((kind, i) => {
          low[1 + KINDS * target + i] += kind[0] * part;
          high[1 + KINDS * target + i] += kind[1] * part;
        });
      }
    }
  }

  add(op: OpMisses): void {
    const computeNs = (op.macs / this.host.computeRates[op.family] / this.threads) * 1e9;
    const splitHome = op.misses.length > 0 ? splittingHome(op, this.index) : -1;
    if (splitHome < 0) this.#addPart(op, computeNs, 1, -1, 0);
    else
      for (const pool of this.index.poolsOf[splitHome]) {
        this.#addPart(op, computeNs, this.index.homes[splitHome].shares[pool], splitHome, pool);
      }
  }
}

/** The stages of one epoch for the fewest (`low`) and the most misses (`high`). */
export function epochStages(
  ops: readonly OpMisses[],
  index: HomeIndex,
  host: HostProfile,
  threads: number,
): { low: StageTable; high: StageTable; sure: boolean } {
  const builder = new StageBuilder(index, host, threads);
  for (const op of ops) builder.add(op);
  const { low, high } = builder;
  const sure = low.every((stage, i) => stage.every((value, k) => value === high[i][k]));
  return { low, high, sure };
}

/** [pools] what the stages move to and from each pool. */
export function poolTraffic(stages: StageTable, pools: number): PoolTraffic[] {
  return Array.from({ length: pools }, (_, pool) => {
    const lines = (kind: number) => stages.reduce((sum, stage) => sum + stage[1 + KINDS * pool + kind], 0);
    return {
      demandLines: lines(0) + lines(1),
      streamedBytes: lines(2) * LINE_BYTES,
      writtenBytes: lines(3) * LINE_BYTES,
    };
  });
}
