// What watching a program leaves behind: its epochs, what they would have cost under a topology, and how it ended.

import type { EventStatus, RegionLines, SourceName, Span, ThreadTime } from "./counters.js";
import type { EpochDelay } from "./epoch.js";
import type { DelayModelName, TraceTraffic } from "./trace.js";

/** Delays of one epoch. A wall clock would see something from the slowest thread alone to the sum of all. */
export interface WatchedDelay {
  /** Of the slowest thread, all running side by side. low: N lines in flight, fewest misses; high: one line, most misses. */
  readonly slowestNs: Span;
  /** Sum over the threads that ran. */
  readonly sumNs: Span;
  /** The slowest thread's, solved; its terms. */
  readonly low: EpochDelay;
  readonly high: EpochDelay;
}

export interface WatchedEpoch {
  readonly index: number;
  /** Since the watch began. */
  readonly startNs: number;
  /** Measured length, without the time that the program was made to stand still. */
  readonly nativeNs: number;
  /** On-CPU time of all threads. */
  readonly onCpuNs: number;
  readonly threads: readonly ThreadTime[];
  readonly counters: Readonly<Record<string, number>>;
  readonly runningShare: number;
  readonly lost: number;
  /** [pools] lines beyond the cache, fewest and most; null where the source tells none. */
  readonly pools: readonly [low: readonly TraceTraffic[], high: readonly TraceTraffic[]] | null;
  /** null: nothing was counted that a delay could be computed from. */
  readonly delay: WatchedDelay | null;
  /** Time that the program stood still after this epoch. */
  readonly injectedNs: number;
}

/** Lines of an epoch in one mapping of the program. */
export interface MappingLines extends RegionLines {
  /** heap, stack, anon, file, kernel; unknown: addresses of no mapping that is known. */
  readonly kind: string;
  /** [pools] where it lies; sums to 1. */
  readonly poolShares: readonly number[];
}

/** How the program ended; null fields: it was attached to and runs on. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Times of whole runs. */
export interface RunTimes {
  readonly samplesNs: readonly number[];
  readonly medianNs: number;
  /** Processor time of all its threads in the mean run; in results of before it was told there is none. */
  readonly cpuNs?: number;
  readonly rangeNs: Span;
}

export interface Injection {
  readonly method: "cgroup" | "signals";
  readonly requestedNs: number;
  readonly achievedNs: number;
  readonly stops: number;
  /** Of what was achieved, that by which the program's end was kept back; absent in results of before there was that. */
  readonly atEndNs?: number;
}

/** What `--export-json` writes of a program that failed: no figures. */
export interface FailedWatch {
  readonly schemaVersion: 1;
  readonly kind: "watch";
  /** What failed, and how. */
  readonly failed: string;
  readonly command: readonly string[];
  readonly program: ProgramEnd;
}

/** The summary of a watch: what `--export-json` writes. */
export interface WatchResult {
  readonly schemaVersion: 1;
  readonly kind: "watch";
  readonly command: readonly string[];
  readonly pid: number;
  readonly source: SourceName;
  readonly sourceDetail: string;
  readonly events: readonly EventStatus[];
  readonly model: DelayModelName;
  readonly topology: string;
  readonly host: string;
  readonly placement: readonly string[];
  readonly epochs: number;
  readonly wallNs: number;
  readonly nativeNs: number;
  readonly onCpuNs: number;
  readonly threads: number;
  readonly counters: Readonly<Record<string, number>>;
  /** Sums over the epochs; null: no delay could be computed. */
  readonly delay: { readonly slowestNs: Span; readonly sumNs: Span } | null;
  /** Native time of the epochs that have a delay; estimates need a while before there are any. */
  readonly predictedNs: number;
  /** Predicted time over native time of those epochs: from the slowest thread's to the sum of all. */
  readonly slowdown: Span | null;
  /** true: part of the program ran uncounted, so there is no delay and no slowdown. */
  readonly incomplete?: boolean;
  readonly injection: Injection | null;
  readonly baseline: RunTimes | null;
  /** Wall time of the watched run over the median of the baseline runs, and over their slowest and fastest. */
  readonly measuredSlowdown: { readonly value: number; readonly range: Span } | null;
  /** The same program with its memory bound to a node. */
  readonly bound: { readonly node: number; readonly times: RunTimes; readonly slowdown: number } | null;
  readonly program: ProgramEnd;
  readonly lost: number;
  readonly leastRunningShare: number;
  readonly notes: readonly string[];
}
