// What the main thread and the coordinator say to each other: plain values only, so that a page or another process can
// take either side.

import type { Calibration } from "../core/calibration.js";
import type { CompressionReport } from "../core/compression.js";
import { InputError, UnavailableError } from "../core/errors.js";
import type { FitRun } from "../core/fit-run.js";
import type { GpuProfile, HostProfile } from "../core/host.js";
import type { KldSummary } from "../core/kld.js";
import type { ActivationFormat, KvFormat } from "../core/op.js";
import type { BenchResult, Environment, ReadBandwidth } from "../core/result.js";
import type { ModelRef, QuantName, Scenario } from "../core/scenario.js";
import type { TargetStatus } from "../core/target.js";
import type { Progress } from "../run/parts.js";
import type { CompressRequest } from "./compress/request.js";
import type { EvalFolders } from "./parts/evalset.js";

export interface AnswerRequest {
  readonly kind: "answer";
  readonly model: ModelRef;
  readonly target: string | null;
  /** null: as the file stores its weights where it is quantized, else int8. */
  readonly quant: QuantName | null;
  /** Puts the prompt into the model's chat template. */
  readonly chat: boolean;
  readonly activations: ActivationFormat;
  /** null: as the file says, else f32. */
  readonly kv: KvFormat | null;
  readonly image: string | null;
  readonly prompt: string;
  readonly maxTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

export interface FitRunRequest {
  readonly kind: "fit-run";
  readonly shape: "llava-1.5-7b";
  readonly budgetBytes: number;
  /** null: 24, or the most below it that fit. */
  readonly layers: number | null;
  readonly textTokens: number;
  readonly decodeTokens: number;
  readonly rounds: number;
  readonly threads: number;
  readonly seed: number;
}

export interface KldRequest {
  readonly kind: "kld";
  readonly model: ModelRef;
  readonly quant: QuantName;
  /** null: the model itself, in `baseQuant`. */
  readonly base:
    | { readonly kind: "model"; readonly model: ModelRef }
    | { readonly kind: "file"; readonly path: string }
    | null;
  /** The base as the user wrote it. */
  readonly baseName: string;
  readonly baseQuant: QuantName;
  readonly activations: ActivationFormat;
  /** null: the shipped text. */
  readonly text: string | null;
  readonly contextTokens: number | null;
  readonly chunks: number;
  readonly threads: number;
  readonly saveBase: string | null;
}

export interface BenchRequest {
  readonly kind: "bench";
  readonly scenario: Scenario;
  /** true: asks for its turn before each round and waits for the answer. */
  readonly turns?: boolean;
  /** What Node knows of the machine, for a page. */
  readonly environment?: Environment;
}

export interface CalibrateRequest {
  readonly kind: "calibrate";
  /** What Node knows of the machine; a page only knows its own browser. */
  readonly environment: Environment;
}

/** A model beside a base. */
export interface KldReport extends KldSummary {
  readonly schemaVersion: 1;
  readonly model: string;
  readonly quant: QuantName;
  readonly base: string;
  readonly target: string;
  readonly contextTokens: number;
  readonly chunks: number;
}

export type Request =
  | BenchRequest
  /** `folders`: an evaluation set other than the model's own. */
  | { readonly kind: "eval"; readonly scenario: Scenario; readonly folders: EvalFolders | null }
  | { readonly kind: "doctor" }
  | CalibrateRequest
  | KldRequest
  | CompressRequest
  | AnswerRequest
  | FitRunRequest;

/** Speed of one answer. */
export interface AnswerFacts {
  readonly target: string;
  /** Why another target than the wanted one answered, and what was taken for granted of the model. */
  readonly note: string | null;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly firstTokenNs: number;
  readonly decodeNs: number;
}

export interface DoctorReport {
  readonly schemaVersion: 1;
  readonly environment: Environment;
  readonly targets: readonly TargetStatus[];
  readonly host: HostProfile;
  readonly bandwidth: readonly ReadBandwidth[];
  /** null: no GPU that is worth measuring. */
  readonly gpu: GpuProfile | null;
}

export type FailureEvent =
  | { readonly kind: "input-error"; readonly parts: readonly [string, string, string, string] }
  | { readonly kind: "unavailable"; readonly parts: readonly [string, string, string] }
  | { readonly kind: "crash"; readonly message: string; readonly stack: string };

export type FinalEvent =
  | { readonly kind: "result"; readonly result: BenchResult }
  | { readonly kind: "doctor"; readonly report: DoctorReport }
  | { readonly kind: "calibrated"; readonly calibration: Calibration }
  | { readonly kind: "compared"; readonly report: KldReport }
  /** null: stopped before the end. */
  | { readonly kind: "compressed"; readonly report: CompressionReport | null }
  | { readonly kind: "fit-ran"; readonly report: FitRun }
  | { readonly kind: "answered"; readonly facts: AnswerFacts }
  | FailureEvent;

export type CoordinatorEvent =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "text"; readonly text: string }
  /** Waits for `go`. */
  | { readonly kind: "turn" }
  | FinalEvent;

export type ClientMessage = { readonly kind: "stop" } | { readonly kind: "go" };

export function isFinal(event: CoordinatorEvent): event is FinalEvent {
  return event.kind !== "progress" && event.kind !== "text" && event.kind !== "turn";
}

/** An error as plain values; errors lose their class between threads. */
export function failureOf(error: unknown): FailureEvent {
  if (error instanceof InputError) {
    return { kind: "input-error", parts: [error.source, error.field, error.problem, error.remedy] };
  }
  if (error instanceof UnavailableError) {
    return { kind: "unavailable", parts: [error.what, error.reason, error.remedy] };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "crash", message, stack: stack ?? message };
}

/** The error of a failure event, with its class. */
export function errorOf(event: FailureEvent): Error {
  switch (event.kind) {
    case "input-error":
      return new InputError(...event.parts);
    case "unavailable":
      return new UnavailableError(...event.parts);
    case "crash":
      return Object.assign(new Error(event.message), { stack: event.stack });
    default:
      return event satisfies never;
  }
}
