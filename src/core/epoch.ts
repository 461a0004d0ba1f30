// Epochs: what is recorded around each submitted op list, and what the delay model makes of it.

/** Bytes an epoch moved to and from one pool, beyond the last-level cache. */
export interface PoolTraffic {
  /** Cache lines read because an instruction waited for them (not streamed). */
  readonly demandLines: number;
  readonly streamedBytes: number;
  readonly writtenBytes: number;
}

export type Phase = "vision" | "prefill" | "decode";

/** Hardware events by name; an event that could not be read is an absent key. */
export type EventName = "cycles" | "instructions" | "llcMisses" | "stallCycles";

export interface EpochSample {
  readonly index: number;
  readonly phase: Phase;
  /** Measured wall time of the epoch. */
  readonly nativeNs: number;
  readonly perPool: readonly PoolTraffic[];
  readonly counters: Readonly<Partial<Record<EventName, number>>>;
  readonly source: "traffic" | "perf" | "breakpoint" | "emulated" | "trace" | "none";
}

/** The solved time of one epoch and why it differs from all-local: successive differences of one total. */
export interface EpochDelay {
  readonly localNs: number;
  readonly placedNs: number;
  /** placedNs - localNs; may be negative. */
  readonly delayNs: number;
  readonly terms: {
    readonly latencyNs: number;
    readonly bandwidthNs: number;
    readonly congestionNs: number;
    readonly writeBackNs: number;
  };
}
