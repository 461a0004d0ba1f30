// Run once, evaluate many: one recorded iteration under every topology. Modelled figures use the frozen host profile
// and nothing that was measured; predicted ones add this machine's delay to what was measured.

import {
  type EvaluateOptions,
  modelledNs,
  predictedNs,
  type TrafficRecord,
  type TrafficResult,
} from "../core/delay.js";
import type { EpochDelay, EpochEvaluation, EpochSample, PoolTraffic } from "../core/epoch.js";
import type { HostProfile } from "../core/host.js";
import type { TensorSpec } from "../core/op.js";
import type { TopologyEpoch, TopologyRow } from "../core/result.js";
import type { Scenario } from "../core/scenario.js";
import type { PlacedTensors, Topology } from "../core/topology.js";
import { type Figure, LINE_BYTES } from "../core/units.js";
import type { RecordedEpoch } from "./epochs.js";
import type { MemoryParts } from "./parts.js";

/** An epoch over all rounds: `nativeNs` is the median. */
export interface IterationEpoch extends RecordedEpoch {
  /** Least time of all rounds: nearest to what the machine needs when nothing else runs. */
  readonly leastNs: number;
}

/** One iteration as it was recorded, with the median time of all rounds. */
export interface Iteration {
  readonly specs: readonly TensorSpec[];
  readonly epochs: readonly IterationEpoch[];
  readonly medianNs: number;
  readonly threads: number;
  /** It ran on a GPU, whose memory and cache are not the CPU's. */
  readonly gpu?: boolean;
}

/** Effective cache of a scenario over a host profile. */
export function llcBytes(llc: Scenario["llc"], host: HostProfile): number {
  if (llc === "host") return host.llcBytes;
  return llc === "none" ? 0 : llc;
}

const average = (a: number, b: number) => (a + b) / 2;

/** Middle of the two assumptions about the cache. */
function middleDelay({ low, high }: EpochEvaluation): EpochDelay {
  const mix = (pick: (delay: EpochDelay) => number) => average(pick(low.delay), pick(high.delay));
  return {
    localNs: mix(({ localNs }) => localNs),
    placedNs: mix(({ placedNs }) => placedNs),
    delayNs: mix(({ delayNs }) => delayNs),
    terms: {
      latencyNs: mix(({ terms }) => terms.latencyNs),
      bandwidthNs: mix(({ terms }) => terms.bandwidthNs),
      congestionNs: mix(({ terms }) => terms.congestionNs),
      writeBackNs: mix(({ terms }) => terms.writeBackNs),
      ...(high.delay.terms.otherHostsNs === undefined
        ? {}
        : { otherHostsNs: mix(({ terms }) => terms.otherHostsNs ?? 0) }),
    },
  };
}

/** Middle traffic of each pool. */
function middleTraffic({ low, high }: EpochEvaluation): PoolTraffic[] {
  return low.perPool.map((pool, i) => ({
    demandLines: average(pool.demandLines, high.perPool[i]?.demandLines ?? pool.demandLines),
    streamedBytes: average(pool.streamedBytes, high.perPool[i]?.streamedBytes ?? pool.streamedBytes),
    writtenBytes: average(pool.writtenBytes, high.perPool[i]?.writtenBytes ?? pool.writtenBytes),
  }));
}

const missBytes = (pool: PoolTraffic) => pool.demandLines * LINE_BYTES + pool.streamedBytes + pool.writtenBytes;

/** Evaluates iterations; records of equal op lists are made once for each cache size. */
export interface Evaluator {
  /** Every epoch with the bytes it moved beyond this machine's cache. */
  samples(iteration: Iteration): EpochSample[];
  row(iteration: Iteration, topology: Topology, placed: PlacedTensors): TopologyRow;
  /** Modelled ns of an op list that was never run. */
  modelled(iteration: Iteration, placed: PlacedTensors): number;
  /** Predicted delay of each epoch, >= 0: what --spin waits. */
  waits(iteration: Iteration, placed: PlacedTensors): number[];
}

/** Dispatches are no arithmetic that memory could hide behind; they never take all of a measured time. */
const workNs = (measuredNs: number, dispatchesNs: number): number =>
  Math.max(measuredNs - dispatchesNs, measuredNs * LEAST_WORK);
const LEAST_WORK = 0.05;

export function openEvaluator(parts: MemoryParts, llc: Scenario["llc"]): Evaluator {
  const records = new Map<string, TrafficRecord>();

  function record({ specs, epochs }: Iteration, host: HostProfile): TrafficRecord {
    const cache = llcBytes(llc, host);
    const key = JSON.stringify([cache, specs, epochs.map(({ ops }) => ops)]);
    const known = records.get(key);
    if (known) return known;
    const run = { specs, epochs: epochs.map(({ ops }) => ops), llcBytes: cache, warmPasses: 1 };
    const made = parts.traffic.record(run);
    records.set(key, made);
    return made;
  }

  function evaluate(iteration: Iteration, placed: PlacedTensors, options: EvaluateOptions): TrafficResult {
    return parts.traffic.evaluate(record(iteration, options.host), placed, options);
  }
  const gpuOf = ({ gpu }: Iteration) => (gpu ? parts.gpu : undefined);
  const model = (iteration: Iteration, placed: PlacedTensors) => {
    const host = gpuOf(iteration)?.frozen ?? parts.frozenHost;
    return evaluate(iteration, placed, { host, threads: iteration.threads, measuredNs: null });
  };
  // The least time: what other programs took from us is no arithmetic of ours that could hide memory.
  const predict = (iteration: Iteration, placed: PlacedTensors) => {
    const measured = gpuOf(iteration)?.measured;
    return evaluate(iteration, placed, {
      host: measured?.host ?? parts.host,
      threads: iteration.threads,
      measuredNs: iteration.epochs.map(({ leastNs, ops }) => workNs(leastNs, ops.length * (measured?.dispatchNs ?? 0))),
    });
  };

  return {
    samples(iteration) {
      const topology = parts.topologies.find(({ name }) => name === "local") ?? parts.topologies[0];
      const unknown = iteration.gpu && !parts.gpu;
      const local = topology && !unknown ? predict(iteration, parts.place(iteration.specs, topology, [])) : null;
      return iteration.epochs.map(({ phase, nativeNs, counters }, index) => {
        const epoch = local?.epochs[index];
        const perPool = epoch ? middleTraffic(epoch) : [];
        const source = Object.keys(counters).length > 0 ? "perf" : "traffic";
        return { index, phase, nativeNs, perPool, counters, source };
      });
    },
    row(iteration, topology, placed) {
      const predicted = predict(iteration, placed);
      const row = topologyRow(iteration, topology, placed, model(iteration, placed), predicted);
      return parts.countedDelays ? countedRow(row, iteration, topology, predicted, parts.countedDelays) : row;
    },
    modelled: (iteration, placed) => modelledNs(model(iteration, placed).total).value,
    waits: (iteration, placed) =>
      predict(iteration, placed).epochs.map((epoch) => Math.max(0, middleDelay(epoch).delayNs)),
  };
}

/** The row with a prediction from counters: the lines are those derived from the operations, the stalls those that were counted. */
function countedRow(
  row: TopologyRow,
  { epochs, medianNs, threads }: Iteration,
  topology: Topology,
  derived: TrafficResult,
  delays: NonNullable<MemoryParts["countedDelays"]>,
): TopologyRow {
  const work = epochs.map(({ nativeNs, counters }, i) => {
    const epoch = derived.epochs[i];
    return { nativeNs, counters, pools: epoch ? middleTraffic(epoch) : [] };
  });
  const value = medianNs + delays(topology, work, threads).reduce((sum, ns) => sum + ns, 0);
  return {
    ...row,
    predictedNs: { value, unit: "ns", source: "predicted" },
    slowdown: { value: value / medianNs, unit: "x", source: "predicted" },
  };
}

function topologyRow(
  { epochs, medianNs }: Iteration,
  topology: Topology,
  placed: PlacedTensors,
  modelled: TrafficResult,
  predicted: TrafficResult,
): TopologyRow {
  const range = modelledNs(modelled.total);
  const predictedFigure: Figure = {
    value: predictedNs(predicted.total, medianNs).value,
    unit: "ns",
    source: "predicted",
  };
  const totals = middleTraffic(modelled.total).map(missBytes);
  return {
    topology: topology.name,
    placement: placed.rules,
    pools: modelled.pools,
    modelledNs: { value: range.value, unit: "ns", source: "modelled" },
    modelledRangeNs: { low: range.low, high: range.high, unit: "ns", source: "modelled" },
    predictedNs: predictedFigure,
    spunNs: null,
    slowdown: { value: predictedFigure.value / medianNs, unit: "x", source: "predicted" },
    delay: middleDelay(modelled.total),
    missBytesByPool: Object.fromEntries(modelled.pools.map((pool, i) => [pool, totals[i] ?? 0])),
    epochs: modelled.epochs.map((epoch, i): TopologyEpoch => {
      const { localNs, placedNs } = middleDelay(epoch);
      return { phase: epochs[i]?.phase ?? "decode", localNs, placedNs, missBytes: middleTraffic(epoch).map(missBytes) };
    }),
    extrapolatedNs: null,
  };
}
