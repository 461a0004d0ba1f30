// What a run leaves behind: plain JSON, every sample kept, so that any report can be made again from it.

import type { EpochDelay, EpochSample, Phase } from "./epoch.js";
import type { GpuProfile, HostProfile } from "./host.js";
import type { QuantName, Scenario } from "./scenario.js";
import type { HostName, Target, TargetStatus } from "./target.js";
import type { Figure, FigureRange } from "./units.js";

/** A warning that says what to do about it. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Environment {
  readonly runtime: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  /** null: the host does not tell. Files of earlier versions say 0 there. */
  readonly memoryBytes: number | null;
  readonly cpuFlags: readonly string[];
  /** Averages over 1, 5 and 15 minutes; empty: the host does not tell. */
  readonly load: readonly number[];
  readonly version: string;
  readonly commit: string | null;
}

/** Best plain WASM read of this machine in this run, by parallel streams and threads. */
export interface ReadBandwidth {
  readonly streams: number;
  readonly threads: number;
  readonly gbps: Figure;
}

/** One recorded epoch under one topology. */
export interface TopologyEpoch {
  readonly phase: Phase;
  /** Modelled time with everything local, and as placed. */
  readonly localNs: number;
  readonly placedNs: number;
  /** Bytes beyond the cache, in the order of `TopologyRow.pools`. */
  readonly missBytes: readonly number[];
}

/** One case under one topology: the same measurement, evaluated. */
export interface TopologyRow {
  readonly topology: string;
  readonly placement: readonly string[];
  readonly pools: readonly string[];
  /** Pure function of ops, placement, topology and host profile; bit-equal everywhere. A range where misses are unsure. */
  readonly modelledNs: Figure;
  readonly modelledRangeNs: FigureRange;
  /** Measured plus the modelled delay. */
  readonly predictedNs: Figure | null;
  /** Measured under --spin. */
  readonly spunNs: Figure | null;
  readonly slowdown: Figure;
  readonly delay: EpochDelay;
  /** Bytes beyond the cache by pool, summed over the epochs of one iteration. */
  readonly missBytesByPool: Readonly<Record<string, number>>;
  readonly epochs: readonly TopologyEpoch[];
  /** Predicted time at the real model's full depth, from a synthetic shape with fewer layers; else null. */
  readonly extrapolatedNs: Figure | null;
}

export interface CaseBase {
  readonly model: string;
  /** true: synthetic weights, figures of speed and memory only. */
  readonly synthetic: boolean;
  readonly target: Target;
  readonly quant: QuantName;
  readonly activations: string;
  readonly test: string;
}

export type CaseResult =
  | (CaseBase & {
      readonly state: "measured";
      /** One entry per round, ns of the whole test. */
      readonly samplesNs: readonly number[];
      readonly tokens: number;
      readonly figures: Readonly<Record<string, Figure>>;
      /** The epochs of one iteration; `nativeNs` of the median round. */
      readonly epochs: readonly EpochSample[];
      readonly rows: readonly TopologyRow[];
    })
  | (CaseBase & { readonly state: "unavailable" | "failed"; readonly reason: string });

/** Quality of one quantization beside the f32 model. */
export interface QualityResult {
  readonly model: string;
  readonly quant: QuantName;
  readonly activations: string;
  readonly figures: Readonly<Record<string, Figure>>;
  /** Questions answered right to the end token, by set and type. */
  readonly scores: readonly Score[];
  /** Tokens of the text that perplexity was taken over. */
  readonly textTokens: number;
}

export interface Score {
  readonly set: string;
  readonly type: string;
  readonly right: number;
  readonly total: number;
}

/** One of several runtimes that took turns. */
export interface HostRun {
  readonly host: HostName;
  readonly runtime: string;
  /** What *its* shares of the best read are of. */
  readonly bandwidth: readonly ReadBandwidth[];
}

export interface BenchResult {
  readonly schemaVersion: 1;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** true: stopped by the user, the cases so far are here. */
  readonly interrupted: boolean;
  readonly scenario: Scenario;
  readonly environment: Environment;
  /** This machine's profile: what *predicted* figures use. */
  readonly host: HostProfile;
  /** The shipped profile that every machine shares: what *modelled* figures use. */
  readonly frozenHost: HostProfile;
  readonly bandwidth: readonly ReadBandwidth[];
  /** A GPU's own profiles, which the rows of its cases use instead of `host` and `frozenHost`. */
  readonly gpu?: { readonly frozen: HostProfile; readonly measured: GpuProfile } | undefined;
  /** Where several runtimes took turns; `environment`, `host` and `bandwidth` are then those of the first. */
  readonly hosts?: readonly HostRun[] | undefined;
  readonly targets: readonly TargetStatus[];
  readonly cases: readonly CaseResult[];
  readonly quality: readonly QualityResult[];
  readonly warnings: readonly Warning[];
}
