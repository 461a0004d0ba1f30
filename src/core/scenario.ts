// A scenario says what to run, as plain JSON; every command-line flag is also a key here.

import type { ActivationFormat } from "./op.js";

/** Where the weights come from. */
export type ModelRef =
  | { readonly kind: "shipped" }
  | { readonly kind: "file"; readonly path: string }
  /** A real model's layer shapes with seeded int4 weights: speed and memory only, never quality. */
  | { readonly kind: "synthetic"; readonly shape: "llava-1.5-7b"; readonly layers: number };

/** Formats of the weights on load: decoder matrices as named, vision, projector and embeddings in int8 for the int4 names. */
export type QuantName = "f32" | "int8" | "int4-g32" | "int4-g128";

export interface Workload {
  readonly model: ModelRef;
  readonly quants: readonly QuantName[];
  readonly activations: ActivationFormat;
  /** Named as llama-bench names them: `vision`, `pp64`, `tg16`, `tg16@d128`. */
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
  readonly delay: "traffic";
  readonly rounds: number;
  readonly warmups: number;
  /** 0 = as many as are useful on this machine. */
  readonly threads: number;
  readonly seed: number;
  readonly quality: boolean;
  /** Makes the run really slower by the delay instead of only predicting it. */
  readonly spin: boolean;
}
