// Pools of memory behind links: a tree whose root is the host. Plain JSON, checked by src/placement before use.

import type { CurvePoint, MixBandwidth, MixCurve } from "./host.js";
import type { Part } from "./op.js";

/** A figure of a profile with its origin. */
export interface Sourced {
  readonly value: number;
  readonly source: "measured" | "derived" | "assumed";
  readonly note: string;
}

/** The host's own memory: adders 0; latency, bandwidth and curve are those of the host profile. */
export interface LocalPool {
  readonly kind: "local";
  readonly name: string;
  readonly capacityBytes: number;
}

/** One memory device behind the host. */
export interface FarPool extends MixBandwidth {
  readonly kind: "far";
  readonly name: string;
  readonly capacityBytes: number;
  /** Read latency over this host's local latency, links of the profile's own measurement included. */
  readonly readAdderNs: number;
  readonly writeAdderNs: number;
  /** Loaded latency of the device over its own idle latency, by read bandwidth; empty = one-parameter queue. */
  readonly curve: readonly CurvePoint[];
  /** Further curves with writes among the reads, rising in writeShare. */
  readonly mixCurves?: readonly MixCurve[];
  /** Queue parameter a of L0 + a u/(1-u), used where there is no curve. */
  readonly queueNs: number;
  /** Edges from the host to the pool, by name. An edge inside the profile's measurement is not listed. */
  readonly path: readonly string[];
}

export type Pool = LocalPool | FarPool;

/** A link or switch port that several pools may share; bandwidth per direction. */
export interface Edge {
  readonly name: string;
  readonly latencyNs: number;
  readonly bandwidthGBps: number;
}

/** What one other host does with a pool all the time; it gets no more than its fair share of what it crosses. */
export interface BackgroundLoad {
  readonly host: string;
  readonly pool: string;
  readonly readGBps: number;
  readonly writeGBps: number;
  /** Edges of the pool's path that it crosses too, by name. */
  readonly edges: readonly string[];
}

/** Pools that hold a tensor's bytes in turns; a placement target. */
export interface InterleaveSet {
  readonly name: string;
  readonly pools: readonly string[];
  /** Bytes in one pool before the next takes over. */
  readonly granularityBytes: number;
}

export interface Topology {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly description: string;
  /** The first pool is the local one. */
  readonly pools: readonly Pool[];
  readonly edges: readonly Edge[];
  /** Other hosts; absent = none. */
  readonly loads?: readonly BackgroundLoad[];
  readonly interleaveSets?: readonly InterleaveSet[];
  /** Placement rules as text that hold when the user gives none. */
  readonly defaultPlacement: readonly string[];
  /** Origin of each figure by its path, as `pools[1].readAdderNs`. */
  readonly origins: Readonly<Record<string, Sourced>>;
}

/** One rule of a placement: which tensors, and which share of them lies in which pool. Later rules win. */
export interface PlacementRule {
  readonly select: {
    readonly class?: "weights" | "kv" | "activations" | "all";
    readonly part?: Part;
    /** First and last layer, both included. */
    readonly layers?: readonly [number, number];
  };
  /** Shares by pool; they sum to 1. */
  readonly pools: Readonly<Record<string, number>>;
  /** true: pages of all pools are read side by side (they share the lines in flight); false: one range after the other. */
  readonly interleaved: boolean;
  /** The next layer's tensors move near while this one computes. */
  readonly prefetched?: boolean;
}

export type Placement = readonly PlacementRule[];

/** Where one tensor lives. */
export interface TensorHome {
  /** [pools of the topology], sums to 1. */
  readonly shares: readonly number[];
  readonly interleaved: boolean;
  /** Moved near a layer ahead of its use. */
  readonly prefetched?: boolean;
}

/** A placement resolved against a tensor table and a topology. */
export interface PlacedTensors {
  readonly topology: Topology;
  /** The rules that were used, as text. */
  readonly rules: readonly string[];
  /** Distinct homes. */
  readonly homes: readonly TensorHome[];
  /** [tensors] index into homes, by tensor id. */
  readonly homeOf: readonly number[];
  /** [pools] bytes placed in each pool. */
  readonly placedBytes: readonly number[];
}
