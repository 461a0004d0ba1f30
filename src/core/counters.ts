// What a counter source tells of a program that it watches: events, threads and lines beyond the cache, epoch by epoch.

import type { EpochSample } from "./epoch.js";

export type SourceName = EpochSample["source"];

/** An event and whether it can be believed here: available only where a loop with known counts has moved it. */
export type EventStatus =
  | { readonly event: string; readonly available: true; readonly detail: string }
  | { readonly event: string; readonly available: false; readonly reason: string; readonly remedy: string };

/** Whether a source works here. */
export type SourceStatus =
  | { readonly available: true; readonly detail: string; readonly events: readonly EventStatus[] }
  | {
      readonly available: false;
      readonly reason: string;
      readonly remedy: string;
      readonly events: readonly EventStatus[];
    };

/** Sampled touches (`counters.probes`) before an estimate is worth telling. */
export const LEAST_PROBES = 12;

/** A count that is known to lie between two ends; equal where it was counted. */
export type Span = readonly [low: number, high: number];

/** Lines that one range of addresses moved beyond the cache in an epoch. */
export interface RegionLines {
  readonly startAddress: number;
  readonly sizeBytes: number;
  /** As /proc/PID/maps names it: a path, `[heap]`, `[stack]`, or `` for anonymous memory. */
  readonly name: string;
  /** Lines of sequential runs. */
  readonly streamLines: Span;
  /** Lines of regular strides: independent loads. */
  readonly strideLines: Span;
  /** Lines of no pattern: each may wait for the one before (one line in flight) or not (the calibrated N in flight). */
  readonly irregularLines: Span;
  /** Dirty lines on their way back. */
  readonly writtenLines: Span;
}

/** On-CPU time of one thread within an epoch. */
export interface ThreadTime {
  readonly tid: number;
  readonly onCpuNs: number;
}

/** One epoch as a source saw it. */
export interface CountedEpoch {
  /** Measured wall time since the epoch before. null: the source's clock means nothing (emulation); the loop takes the time from a native run, by instructions. */
  readonly nativeNs: number | null;
  readonly threads: readonly ThreadTime[];
  /** Events by the names of docs/delay-models.md, scaled where they were multiplexed; what could not be read is an absent key. */
  readonly counters: Readonly<Record<string, number>>;
  /** Empty where the source knows no addresses. */
  readonly regions: readonly RegionLines[];
  /** Least share of the epoch that any counter really ran; below 1 = multiplexed. 1 where nothing is multiplexed. */
  readonly runningShare: number;
  /** Records, samples or events that are known to be missing. */
  readonly lost: number;
  /** By how much the counting itself held the program up in this epoch; absent = not noticeably. */
  readonly overheadNs?: number;
}

/** How a program is started for a source. */
export interface LaunchCommand {
  readonly file: string;
  /** Its name to itself (argv[0]); the file where it is "". */
  readonly name: string;
  /** What follows the name. */
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}
