// A full measurement of one host's memory (`nibblemark calibrate`), with the profile that was drawn from it.

import type { HostProfile } from "./host.js";
import type { PressureKind } from "./ports.js";
import type { Environment } from "./result.js";

/** ns a dependent load over buffers of one size. */
export interface ChasePoint {
  readonly bytes: number;
  /** Lines at random over the whole buffer: page walks included. */
  readonly randomNs: number;
  /** Lines at random within 4 MiB at a time: hardly a page walk. */
  readonly nearNs: number;
}

/** What address translation adds to a load that touches one of so many pages of 4 KiB at random. */
export interface TranslationPoint {
  readonly pages: number;
  readonly ns: number;
}

export interface CacheLevel {
  readonly name: string;
  /** Largest measured buffer inside; 0 = DRAM. */
  readonly bytes: number;
  readonly ns: number;
}

export interface ChainPoint {
  readonly chains: number;
  readonly stepNs: number;
  readonly gbps: number;
  /** Bandwidth x loaded latency at that bandwidth / 64. */
  readonly linesInFlight: number;
}

export interface BandwidthPoint {
  readonly kind: PressureKind;
  readonly threads: number;
  /** At the memory: lines that stores fetch first count as reads. */
  readonly readGBps: number;
  readonly writtenGBps: number;
}

export interface LoadedPoint {
  readonly kind: PressureKind;
  readonly gbps: number;
  readonly ns: number;
  /** false: bends back or falls, so it is not on the profile's curve. */
  readonly kept: boolean;
}

/** Bandwidth that one core would reach from a memory so much further away. */
export interface FarBandwidthPoint {
  readonly adderNs: number;
  readonly lowGBps: number;
  readonly highGBps: number;
}

export interface Calibration {
  readonly schemaVersion: 1;
  readonly kind: "calibration";
  readonly measuredAt: string;
  readonly seconds: number;
  readonly environment: Environment;
  /** What the clock of this host tells apart, ns; timed pieces last 100 of these or more. */
  readonly clockStepNs: number;
  readonly profile: HostProfile;
  readonly chase: readonly ChasePoint[];
  readonly translation: readonly TranslationPoint[];
  readonly levels: readonly CacheLevel[];
  readonly chains: readonly ChainPoint[];
  readonly bandwidth: readonly BandwidthPoint[];
  readonly loaded: readonly LoadedPoint[];
  readonly far: {
    /** Plain reads of one core are clearly faster from its cache than from memory. */
    readonly memoryBound: boolean;
    readonly cacheGBps: number;
    readonly points: readonly FarBandwidthPoint[];
  };
  /** What could not be measured here, and what to doubt. */
  readonly notes: readonly string[];
}
