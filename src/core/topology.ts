// Pools of memory behind links: a tree whose root is the host. Plain JSON, checked by src/placement before use.

import type { CurvePoint } from "./host.js";

/** A figure of a profile with its origin. */
export interface Sourced {
  readonly value: number;
  readonly source: "measured" | "derived" | "assumed";
  readonly note: string;
}

/** One memory device behind the host. `dram` is the local one: adder 0, bandwidth and curve of the host itself. */
export interface Pool {
  readonly name: string;
  readonly capacityBytes: number;
  /** Read latency over this host's local latency. */
  readonly readAdderNs: number;
  readonly writeAdderNs: number;
  /** Peak bandwidth by mix. */
  readonly readGBps: number;
  readonly mixedGBps: number;
  readonly writeGBps: number;
  /** Loaded latency of the device itself over its idle latency, by read bandwidth; empty = one-parameter queue. */
  readonly curve: readonly CurvePoint[];
  /** Edges from the root to the pool, by name; empty for local memory. */
  readonly path: readonly string[];
}

/** A link or switch port that several pools may share; bandwidth per direction. */
export interface Edge {
  readonly name: string;
  readonly latencyNs: number;
  readonly bandwidthGBps: number;
}

export interface Topology {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly description: string;
  readonly pools: readonly Pool[];
  readonly edges: readonly Edge[];
}

/** One rule of a placement: which tensors, and which share of them lies in which pool. Later rules win. */
export interface PlacementRule {
  readonly select: {
    readonly class?: "weights" | "kv" | "activations" | "all";
    readonly part?: "vision" | "projector" | "decoder" | "embedding";
    /** First and last layer, both included. */
    readonly layers?: readonly [number, number];
  };
  /** Shares by pool; they sum to 1. */
  readonly pools: Readonly<Record<string, number>>;
  /** true: pages of all pools are read side by side (they share the lines in flight); false: one range after the other. */
  readonly interleaved: boolean;
}

export type Placement = readonly PlacementRule[];
