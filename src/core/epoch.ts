// Epochs: what is recorded around each submitted op list, and what the delay model makes of it.

/** Bytes an epoch moved to and from one pool, beyond the last-level cache. */
export interface PoolTraffic {
  /** Cache lines read because an instruction waited for them (not streamed). */
  readonly demandLines: number;
  readonly streamedBytes: number;
  readonly writtenBytes: number;
}

export type Phase = "vision" | "prefill" | "decode";

export interface EpochSample {
  readonly index: number;
  readonly phase: Phase;
  /** Measured wall time of the epoch. */
  readonly nativeNs: number;
  readonly perPool: readonly PoolTraffic[];
  /** Events by the names of docs/delay-models.md; one that could not be read is an absent key. */
  readonly counters: Readonly<Record<string, number>>;
  readonly source: "traffic" | "perf" | "breakpoint" | "emulated" | "trace" | "none";
}

/** The solved time of one epoch and why it differs from all-local: successive differences of one total. */
export interface EpochDelay {
  readonly localNs: number;
  readonly placedNs: number;
  /** placedNs - localNs; may be negative. */
  readonly delayNs: number;
  /** They sum to delayNs. */
  readonly terms: {
    /** Idle latencies alone, no memory slowed by load. */
    readonly latencyNs: number;
    /** The pools' own loaded latency and bandwidth. */
    readonly bandwidthNs: number;
    /** Links that several pools share. */
    readonly congestionNs: number;
    /** Dirty lines on their way back. */
    readonly writeBackNs: number;
    /** Other hosts on the same pools and links; absent where the topology has none. */
    readonly otherHostsNs?: number;
  };
}

/** One epoch evaluated for one assumption about the cache. */
export interface EpochEstimate {
  /** [pools of the topology] */
  readonly perPool: readonly PoolTraffic[];
  readonly delay: EpochDelay;
}

/** An epoch whose cache misses are known only to lie between `low` (most hits) and `high` (most misses). */
export interface EpochEvaluation {
  readonly low: EpochEstimate;
  readonly high: EpochEstimate;
}
