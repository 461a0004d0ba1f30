// A scenario says what to run, as plain JSON; every command-line flag is also a key here.

import type { ActivationFormat, KvFormat } from "./op.js";

/** Where the weights come from. */
export type ModelRef =
  | { readonly kind: "shipped" }
  | { readonly kind: "file"; readonly path: string }
  /** A real model's layer shapes with seeded int4 weights: speed and memory only, never quality. */
  | { readonly kind: "synthetic"; readonly shape: "llava-1.5-7b"; readonly layers: number };

/**
 * Formats of the weights on load: decoder matrices as named, vision, projector and embeddings in int8 for the int4 names;
 * `stored`: every matrix exactly as its file holds it.
 */
export type QuantName = "f32" | "int8" | "int4-g32" | "int4-g128" | "stored";

export interface Workload {
  readonly model: ModelRef;
  readonly quants: readonly QuantName[];
  readonly activations: ActivationFormat;
  /** Precision of cached keys and values; absent: as the model says, else f32. */
  readonly kv?: KvFormat | undefined;
  /** Named as llama-bench names them: `vision`, `pp64`, `tg16`, `tg16@d128`, `ttft16`. */
  readonly tests: readonly string[];
  /** "fastest" runs only the fastest available build. */
  readonly targets: "all" | "fastest" | readonly string[];
}

export interface Scenario {
  readonly schemaVersion: 1;
  readonly workloads: readonly Workload[];
  /** Names of shipped topologies or paths of topology files. */
  readonly topologies: readonly string[];
  /** Placement rules as text (`weights=cxl0`, `kv=interleave(dram:3,cxl0:1)`, `layers 4-7=cxl0`); empty = the topology's default. */
  readonly placement: readonly string[];
  /** Effective last-level cache: the host profile's, none, or a size in bytes. */
  readonly llc: "host" | "none" | number;
  /** Model of *predicted* figures: `traffic` from the operations alone, `stall` and `camp` from counters of this machine. */
  readonly delay: "traffic" | "stall" | "camp";
  /** CAMP's coefficients or microbenchmarks, a file; only for `camp`. */
  readonly camp?: string;
  /** Host profile of *predicted* figures: "probe" in a few seconds, the shipped "default" without probing, or a stored file's path. */
  readonly host: string;
  readonly rounds: number;
  readonly warmups: number;
  /** 0 = as many as are useful on this machine. */
  readonly threads: number;
  readonly seed: number;
  readonly quality: boolean;
  /** Runtimes and browsers that each run it, round by round in turn; absent: the one that the command runs in. */
  readonly hosts?: readonly string[] | undefined;
  /** Makes the run really slower by the delay instead of only predicting it. */
  readonly spin: boolean;
}

/** What one test does in one iteration. */
export type TestSpec =
  /** One picture through the vision tower and the projector. */
  | { readonly kind: "vision" }
  /** A prompt of `tokens` at once, after `depth` tokens that are not timed. */
  | { readonly kind: "prefill"; readonly tokens: number; readonly depth: number }
  /** `tokens` greedy tokens one by one, after `depth` tokens that are not timed. */
  | { readonly kind: "decode"; readonly tokens: number; readonly depth: number }
  /** A picture (where the model takes one) and a prompt of `tokens`, up to the first token of the answer. */
  | { readonly kind: "first"; readonly tokens: number };

/** Parses `vision`, `pp64`, `tg16`, `tg16@d128`, `ttft32`; null for anything else. */
export function parseTest(name: string): TestSpec | null {
  if (name === "vision") return { kind: "vision" };
  const match = /^(pp|tg|ttft)([1-9]\d{0,5})(?:@d(\d{1,6}))?$/.exec(name);
  if (!match) return null;
  const tokens = Number(match[2]);
  const depth = Number(match[3] ?? 0);
  if (match[1] === "ttft") return match[3] === undefined ? { kind: "first", tokens } : null;
  return { kind: match[1] === "pp" ? "prefill" : "decode", tokens, depth };
}

/** Tokens a test handles in one iteration: what tokens/s counts. Vision counts pictures. */
export function testTokens(test: TestSpec): number {
  switch (test.kind) {
    case "vision":
      return 1;
    case "prefill":
    case "decode":
    case "first":
      return test.tokens;
    default:
      return test satisfies never;
  }
}

/** Formats of weights in the order of their size. */
export const QUANT_NAMES: readonly QuantName[] = ["f32", "int8", "int4-g32", "int4-g128", "stored"];
