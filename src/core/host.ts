// What the local machine's memory and cores can do: the basis of every modelled figure.

import type { FigureSource } from "./units.js";

/** One point of a loaded-latency curve: latency seen while `bandwidthGBps` is being read. */
export interface CurvePoint {
  readonly bandwidthGBps: number;
  readonly latencyNs: number;
}

/** How a tensor is walked: dependent loads, regular strides, or sequential streams. */
export type AccessPattern = "chase" | "stride" | "stream";

/** A shipped default, a two-second probe or a full calibration of one CPU. A GPU has its own. */
export interface HostProfile {
  readonly name: string;
  /** Idle latency of a local DRAM read. */
  readonly idleNs: number;
  /** Loaded latency of local DRAM, rising in bandwidth; the last point is the peak. */
  readonly curve: readonly CurvePoint[];
  /** Effective last-level cache. */
  readonly llcBytes: number;
  /** Cache lines that one core keeps in flight, by pattern. */
  readonly linesInFlight: Readonly<Record<AccessPattern, number>>;
  /** Multiply-accumulates a second of one core, by kernel family. */
  readonly computeRates: Readonly<Record<ComputeFamily, number>>;
  readonly source: FigureSource;
  /** Hex digest of the fields above, carried by every result. */
  readonly hash: string;
}

export type ComputeFamily = "int4-int8" | "int4-f32" | "int8" | "f32" | "attention" | "elementwise";
