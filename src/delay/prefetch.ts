// Layer prefetch: while one layer computes, the next one's tensors move from their pool to a buffer in near memory, where they are
// then read. An epoch takes, layer by layer, the longer of the two; the last layer brings in the first one of the next epoch.

import type { EvaluateOptions, OpMisses, TensorMiss, TrafficRecord } from "../core/delay.js";
import type { EpochEstimate, EpochEvaluation } from "../core/epoch.js";
import type { PlacedTensors } from "../core/topology.js";
import { type EpochExports, solveEpoch } from "./solver.js";
import { epochStages, indexHomes, poolTraffic, type StageTable } from "./stages.js";

/** Share of an epoch's moved lines below which a segment is no layer of its own. */
const SMALL = 0.01;

/** Which end of the range of misses is evaluated. */
type End = 0 | 1;

interface Segment {
  readonly ops: readonly OpMisses[];
}

const isPrefetched = ({ homes, homeOf }: PlacedTensors, tensor: number) =>
  homes[homeOf[tensor] as number]?.prefetched === true;

/** Runs of ops of one layer; an op without a prefetched tensor belongs to the layer before it. */
function segmentsOf(ops: readonly OpMisses[], record: TrafficRecord, placed: PlacedTensors): Segment[] {
  const segments: { layer: number; ops: OpMisses[] }[] = [];
  for (const op of ops) {
    const miss = op.misses.find(({ tensor }) => isPrefetched(placed, tensor));
    const layer = miss ? record.specs[miss.tensor]?.layer : segments.at(-1)?.layer;
    const last = segments.at(-1);
    if (last && layer === last.layer) last.ops.push(op);
    else segments.push({ layer: layer ?? -1, ops: [op] });
  }
  return segments;
}

const linesOf = ({ ops }: Segment, placed: PlacedTensors): number =>
  ops
    .flatMap(({ misses }) => misses)
    .reduce((sum, miss) => sum + (isPrefetched(placed, miss.tensor) ? readLines(miss, 1) : 0), 0);

/** Segments that move next to nothing (the rows of an embedding) join the one after them: nothing could hide behind them. */
function joinSmall(segments: readonly Segment[], placed: PlacedTensors): Segment[] {
  const total = segments.reduce((sum, segment) => sum + linesOf(segment, placed), 0);
  const joined: Segment[] = [];
  let waiting: readonly OpMisses[] = [];
  for (const segment of segments) {
    const ops = [...waiting, ...segment.ops];
    waiting = linesOf({ ops }, placed) < SMALL * total ? ops : [];
    if (waiting.length === 0) joined.push({ ops });
  }
  const last = joined.pop();
  return last ? [...joined, { ops: [...last.ops, ...waiting] }] : [{ ops: waiting }];
}

const readLines = (miss: TensorMiss, end: End) => miss.chaseLines[end] + miss.strideLines[end] + miss.streamLines[end];

/** One stage that streams a segment's prefetched lines from their pools and writes them near. */
function transferStage({ ops }: Segment, placed: PlacedTensors, end: End): number[] {
  const stage = new Array<number>(1 + 4 * placed.topology.pools.length).fill(0);
  for (const miss of ops.flatMap(({ misses }) => misses)) {
    if (!isPrefetched(placed, miss.tensor)) continue;
    const home = placed.homes[placed.homeOf[miss.tensor] as number];
    home?.shares.forEach((share, pool) => {
      if (pool > 0) (stage[1 + 4 * pool + 2] as number) += share * readLines(miss, end);
    });
    (stage[4] as number) += (1 - (home?.shares[0] ?? 1)) * readLines(miss, end);
  }
  return stage;
}

/** The same placement with what is prefetched near. */
function withBuffer(placed: PlacedTensors): PlacedTensors {
  const near = placed.topology.pools.map((_, i) => (i === 0 ? 1 : 0));
  const homes = placed.homes.map((home) => (home.prefetched ? { shares: near, interleaved: false } : home));
  return { ...placed, homes };
}

/** Evaluates an epoch with prefetch; null when no tensor of the placement is prefetched. */
export function openPrefetch(
  epoch: EpochExports,
  record: TrafficRecord,
  placed: PlacedTensors,
  { host, threads }: EvaluateOptions,
): ((ops: readonly OpMisses[], measuredNs: number) => EpochEvaluation) | null {
  if (!placed.homes.some(({ prefetched }) => prefetched)) return null;
  const { topology } = placed;
  const index = indexHomes(withBuffer(placed));
  const stagesOf = (ops: readonly OpMisses[], end: End) => epochStages(ops, index, host, threads)[end ? "high" : "low"];
  const solved = (stages: StageTable, measuredNs: number) => solveEpoch(epoch, topology, stages, measuredNs).delay;

  function estimate(ops: readonly OpMisses[], measuredNs: number, end: End): EpochEstimate {
    const near = solved(stagesOf(ops, end), measuredNs);
    const segments = joinSmall(segmentsOf(ops, record, placed), placed);
    const transfers = segments.map((segment) => transferStage(segment, placed, end));
    // What the whole epoch takes with everything in place, over what its layers take one by one: measured work slows all alike.
    const alone = segments.map((segment) => solved(stagesOf(segment.ops, end), 0).placedNs);
    const stretch =
      near.placedNs /
      Math.max(
        1e-9,
        alone.reduce((a, b) => a + b, 0),
      );
    const exposedNs = alone.reduce((sum, ns, i) => {
      const next = transfers[(i + 1) % transfers.length] as number[];
      return sum + Math.max(0, solved([next], 0).placedNs - ns * stretch);
    }, 0);
    const delayNs = near.delayNs + exposedNs;
    const { terms } = near;
    return {
      perPool: poolTraffic([...stagesOf(ops, end), ...transfers], topology.pools.length),
      delay: {
        ...{ localNs: near.localNs, placedNs: near.localNs + delayNs, delayNs },
        terms: { ...terms, bandwidthNs: terms.bandwidthNs + exposedNs },
      },
    };
  }
  return (ops, measuredNs) => ({ low: estimate(ops, measuredNs, 0), high: estimate(ops, measuredNs, 1) });
}
