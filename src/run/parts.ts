// What a benchmark takes from outside: loaded models, statistics, the delay model, a comparer of logits, a clock.
// `run` knows only these shapes; src/cli/coordinator.ts picks the concrete parts.

import type { TrafficModel } from "../core/delay.js";
import type { Phase, PoolTraffic } from "../core/epoch.js";
import type { GpuProfile, HostProfile } from "../core/host.js";
import type { ActivationFormat, KvFormat, Op, TensorSpec } from "../core/op.js";
import type { LogitComparer, SubmitResult } from "../core/ports.js";
import type { ReadBandwidth } from "../core/result.js";
import type { ModelRef, QuantName, Workload } from "../core/scenario.js";
import type { Target, TargetStatus } from "../core/target.js";
import type { PlacedTensors, Topology } from "../core/topology.js";

/** One submitted op list; `submit` must be called once and its result handed on. */
export type EpochHook = (
  epoch: { readonly phase: Phase; readonly ops: readonly Op[] },
  submit: () => Promise<SubmitResult>,
) => Promise<SubmitResult>;

/** One conversation with a loaded model (src/model/session.ts). */
export interface Session {
  rewind(to?: number): void;
  see(pixels: Float32Array): Promise<void>;
  next(tokens: readonly number[]): Promise<number>;
  score(tokens: readonly number[]): Promise<Float32Array>;
}

/** A picture as one model wants it. */
export interface ImageInput {
  /** Rows a picture takes in the prompt, and their token. */
  readonly rows: number;
  readonly token: number;
  /** A picture to time with, [3 * size, size] normalised planes. */
  readonly pixels: Float32Array;
}

/** A model in a backend. */
export interface Subject {
  readonly model: string;
  readonly synthetic: boolean;
  readonly target: Target;
  readonly quant: QuantName;
  /** Of matrix products, and of the cache where it is not f32, as reports name it. */
  readonly activations: string;
  readonly specs: readonly TensorSpec[];
  readonly vocab: number;
  /** null: text only. */
  readonly image: ImageInput | null;
  session(hook?: EpochHook, keepsOps?: () => boolean): Session;
  residentBytes(): number;
  close(): Promise<void>;
}

/** What a subject must have room for. */
export interface Room {
  /** Text tokens in the cache; the rows of one picture are added where the model sees. */
  readonly positions: number;
  /** Positions whose logits come back from one epoch. */
  readonly logitRows: number;
}

export interface SubjectRequest {
  readonly model: ModelRef;
  readonly target: Target;
  readonly quant: QuantName;
  readonly activations: ActivationFormat;
  readonly kv?: KvFormat | undefined;
  readonly seed: number;
  readonly room: Room;
}

/** The op lists of a test at the real model's full depth, without weights. */
export interface FullDepth {
  readonly layers: number;
  readonly specs: readonly TensorSpec[];
  session(hook: EpochHook): Session;
}

export interface SubjectParts {
  /** Every target that these names may mean; a GPU is looked for only where one may be meant: that starts its driver. */
  targets(wanted: Workload["targets"]): Promise<readonly TargetStatus[]>;
  open(request: SubjectRequest): Promise<Subject>;
  /** null where the subject already has its full depth. */
  fullDepth(request: SubjectRequest): FullDepth | null;
}

/** Summary of the rounds (src/stats). */
export interface Statistics {
  summarize(samples: readonly number[]): {
    readonly median: number;
    readonly mad: number;
    readonly interval: readonly [number, number] | null;
  };
  outliers(samples: readonly number[]): readonly number[];
}

/** An epoch for a delay model that needs counters. */
export interface CountedWork {
  readonly nativeNs: number;
  readonly counters: Readonly<Record<string, number>>;
  /** [pools] */
  readonly pools: readonly PoolTraffic[];
}

/** A GPU's own hosts, beside those of the CPU. */
export interface GpuMemory {
  /** Shared by all machines. */
  readonly frozen: HostProfile;
  readonly measured: GpuProfile;
}

export interface MemoryParts {
  /** Of cases on a GPU; absent: they have no rows. */
  readonly gpu?: GpuMemory | undefined;
  /** Delay of each epoch by the scenario's counter-based model; absent: the scenario uses `traffic`. */
  readonly countedDelays?: (topology: Topology, epochs: readonly CountedWork[], threads: number) => readonly number[];
  readonly traffic: TrafficModel;
  /** Shared by all machines: *modelled*. */
  readonly frozenHost: HostProfile;
  /** This machine's: *predicted*. */
  readonly host: HostProfile;
  readonly bandwidth: readonly ReadBandwidth[];
  readonly topologies: readonly Topology[];
  /** Throws InputError for rules that name unknown pools or do not fit. No rules: the topology's default. */
  place(specs: readonly TensorSpec[], topology: Topology, rules: readonly string[]): PlacedTensors;
}

/** What quality is measured on. */
export interface EvalSet {
  /** One entry a question: its picture, the prompt up to the answer, and the answer with its end token. */
  readonly questions: readonly {
    readonly set: string;
    /** What it asks for, such as `count` or `colour`. */
    readonly type: string;
    /** Questions in a row with the same number ask about the same picture. */
    readonly picture: number;
    /** [3 * size, size] normalised planes, made when asked for: full sets have thousands. */
    pixels(): Float32Array;
    readonly prompt: readonly number[];
    readonly answer: readonly number[];
  }[];
  /** Windows of text, each beginning with the begin-of-text token. */
  readonly windows: readonly (readonly number[])[];
}

export interface QualityParts {
  readonly comparer: LogitComparer;
  /** null: nothing to evaluate this model on. */
  evalSet(model: ModelRef): Promise<EvalSet | null>;
}

/** How far a benchmark is. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** Counters of this process, its threads included. */
export interface EpochCounters {
  /** Differences since the last read, by event; what cannot be counted is an absent key. */
  read(): Readonly<Record<string, number>>;
}

/** Lines to the user while it runs, and a look at whether to stop. */
export interface Control {
  readonly clock: { nowNs(): number };
  /** Read around each epoch; absent: nothing can be counted here. */
  readonly counters?: EpochCounters;
  progress(progress: Progress): void;
  /** Waits for this run's turn before each round, where several runs share the machine. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** Lets messages in; true when the user asked to stop. */
  stopped(): Promise<boolean>;
}
