// The port of the delay model `traffic`: what misses the cache in a recorded run, and what that costs under a topology.
// `run` takes a TrafficModel as an argument; src/delay/traffic.ts opens one.

import type { EpochEvaluation } from "./epoch.js";
import type { ComputeFamily, HostProfile } from "./host.js";
import type { Op, TensorId, TensorSpec } from "./op.js";
import type { PlacedTensors } from "./topology.js";

/** A sequence of epochs as submitted, and the cache they ran over. */
export interface TrafficRun {
  /** Tensor table; a tensor's id is its index. */
  readonly specs: readonly TensorSpec[];
  readonly epochs: readonly (readonly Op[])[];
  /** Effective last-level cache in bytes; 0 = none. */
  readonly llcBytes: number;
  /** How often the cache sees the whole sequence before it is counted: 1 stands for a warmed-up benchmark, 0 for a cold start. */
  readonly warmPasses: number;
}

/** Bytes of one tensor that one op moved beyond the cache; `low` assumes most hits, `high` most misses. */
export interface TensorMiss {
  readonly tensor: TensorId;
  readonly chaseLines: readonly [low: number, high: number];
  readonly strideLines: readonly [low: number, high: number];
  readonly streamLines: readonly [low: number, high: number];
  readonly writtenLines: readonly [low: number, high: number];
}

/** One op: its arithmetic and what it missed. Ops run one after another. */
export interface OpMisses {
  readonly family: ComputeFamily;
  /** Multiply-accumulates (elements for the elementwise family). */
  readonly macs: number;
  readonly misses: readonly TensorMiss[];
}

/** Depends on ops and cache only, so one record serves every topology, placement and host. */
export interface TrafficRecord {
  readonly specs: readonly TensorSpec[];
  readonly llcBytes: number;
  readonly epochs: readonly (readonly OpMisses[])[];
}

export interface EvaluateOptions {
  /** The frozen default profile makes *modelled* figures, a probed one *predicted* figures. */
  readonly host: HostProfile;
  readonly threads: number;
  /**
   * null: time and delay are modelled from the profile alone. Else the measured ns of each epoch: where an epoch took
   * longer than the profile says, its kernels are slower than the profile's and hide more of the memory; compute
   * is scaled until the all-local time is what was measured, and the delay is worked out for that.
   */
  readonly measuredNs: readonly number[] | null;
}

export interface TrafficResult {
  /** Names of the topology's pools, in the order of `perPool`. */
  readonly pools: readonly string[];
  readonly epochs: readonly EpochEvaluation[];
  /** Sums over the epochs. */
  readonly total: EpochEvaluation;
}

export interface TrafficModel {
  record(run: TrafficRun): TrafficRecord;
  /** Pure: the same record, placement, profile and options give the same bits on every machine. */
  evaluate(record: TrafficRecord, placed: PlacedTensors, options: EvaluateOptions): TrafficResult;
}

/** A time that is known to lie between two ends; `value` is their middle. */
export interface TimeRange {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

function range(a: number, b: number): TimeRange {
  return { value: (a + b) / 2, low: Math.min(a, b), high: Math.max(a, b) };
}

/** *Modelled* ns of a result that was evaluated with the frozen host profile. */
export function modelledNs(total: EpochEvaluation): TimeRange {
  return range(total.low.delay.placedNs, total.high.delay.placedNs);
}

/** *Predicted* ns: what was measured plus the delay of a result that was evaluated with this machine's own profile. */
export function predictedNs(total: EpochEvaluation, measuredNs: number): TimeRange {
  return range(measuredNs + total.low.delay.delayNs, measuredNs + total.high.delay.delayNs);
}
