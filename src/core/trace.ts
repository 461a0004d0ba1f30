// A recorded run of any program as epochs: what a trace file holds and what the delay models by name take and give.

import type { EpochDelay } from "./epoch.js";

/** What one epoch moved to and from one memory, in lines beyond the cache. */
export interface TraceTraffic {
  /** Dependent loads. */
  readonly chaseLines: number;
  /** Other lines that an instruction waited for. */
  readonly demandLines: number;
  readonly streamedBytes: number;
  readonly writtenBytes: number;
}

export interface TraceEpoch {
  /** Line of the file it came from. */
  readonly line: number;
  readonly phase: string;
  /** Measured time with everything local, > 0. */
  readonly nativeNs: number;
  /** One entry = all of it, to be spread by shares; none = unknown; else one a pool of the topology. */
  readonly perPool: readonly TraceTraffic[];
  /** Events by name; one that could not be read is an absent key. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface Trace {
  readonly epochs: readonly TraceEpoch[];
  /** What `--keep-going` left out. */
  readonly lost: readonly { readonly line: number; readonly problem: string }[];
}

/** What a delay model makes of one epoch of a trace. */
export interface ReplayedEpoch {
  readonly delay: EpochDelay;
  readonly residual: number;
}

export const DELAY_MODELS = ["traffic", "stall", "camp", "cxlmemsim", "cxlmemsim-v1"] as const;
export type DelayModelName = (typeof DELAY_MODELS)[number];
