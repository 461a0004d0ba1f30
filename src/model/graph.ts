// A model's tensor table and op lists for one quantization and one set of sizes. Plain data and pure functions: the same
// graph is run by a backend and read by the traffic model.

import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { ActivationFormat, TensorSpec } from "../core/op.js";
import { type DecoderIds, type DecoderPass, type DecoderSizes, decoderTensors } from "./decoder.js";
import type { QuantPlan } from "./plan.js";
import { type ProjectorIds, projectorTensors } from "./projector.js";
import { tensorTable } from "./tensor-table.js";
import { patchCount, type VisionIds, visionTensors } from "./vision.js";

export interface Eyes {
  readonly vision: VisionIds;
  readonly projector: ProjectorIds;
  /** Rows one image takes in the prompt. */
  readonly patches: number;
}

export interface Graph {
  readonly config: ModelConfig;
  readonly plan: QuantPlan;
  readonly activations: ActivationFormat;
  readonly sizes: DecoderSizes;
  readonly tensors: readonly TensorSpec[];
  readonly decoder: DecoderIds;
  /** What a model that sees has beyond its decoder; null for text only. */
  readonly eyes: Eyes | null;
}

export interface GraphOptions {
  readonly plan: QuantPlan;
  readonly activations: ActivationFormat;
  /** Positions to make room for, at most the model's own context; default that, or 2048 where it has more. */
  readonly context?: number;
  /** Most positions in one epoch (default 128). */
  readonly maxRows?: number;
  /** Most positions whose logits come back from one epoch (default 1; evaluation wants maxRows). */
  readonly logitRows?: number;
}

/** Lays a model out. Throws InputError for a context beyond what the model was made for. */
export function buildGraph(config: ModelConfig, options: GraphOptions): Graph {
  const { plan, activations } = options;
  const sizes = sizesOf(config, options);
  const t = tensorTable(plan.exact);
  const eyes = config.architecture === "llava" ? eyesOf(config) : null;
  const decoder = decoderTensors(t, config.decoder, plan, sizes);
  return { config, plan, activations, sizes, tensors: t.specs, decoder, eyes };

  function eyesOf(c: Extract<ModelConfig, { architecture: "llava" }>): Eyes {
    const patches = patchCount(c.vision);
    const vision = visionTensors(t, c.vision, plan);
    return { vision, projector: projectorTensors(t, c.projector, plan, patches), patches };
  }
}

function sizesOf({ decoder }: ModelConfig, options: GraphOptions): DecoderSizes {
  const context = options.context ?? Math.min(decoder.maxContext, 2048);
  if (!Number.isInteger(context) || context < 1 || context > decoder.maxContext) {
    throw new InputError(
      "context",
      "",
      `${context} positions were asked for, the model has 1 to ${decoder.maxContext}`,
      "Ask for fewer",
    );
  }
  const maxRows = Math.min(options.maxRows ?? 128, context);
  return { context, maxRows, logitRows: Math.min(options.logitRows ?? 1, maxRows) };
}

/** What the decoder's op builders need of a graph. */
export function decoderPass(graph: Graph): DecoderPass {
  const { config, decoder, plan, activations } = graph;
  return { config: config.decoder, ids: decoder, plan, activations };
}
