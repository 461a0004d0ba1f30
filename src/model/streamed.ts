// The forward pass block by block (core/layers.ts): the ops of the ordinary graph over small graphs of their own, one with a single
// block whose weights are replaced, one for pictures, one for the head. Each lives in a backend that is opened when it is needed.

import type { DecoderConfig, ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { FloatsOf, LayerSample, StreamedForward, Tap, Taps } from "../core/layers.js";
import type { Op } from "../core/op.js";
import type { Backend } from "../core/ports.js";
import { decoderOps, headOps } from "./decoder.js";
import { buildGraph, decoderPass, type Graph } from "./graph.js";
import { planOf } from "./plan.js";
import { projectorOps } from "./projector.js";
import { visionOps } from "./vision.js";

export interface StreamedParts {
  readonly openBackend: () => Promise<Backend>;
  readonly floats: FloatsOf;
}

/** Vocabulary of graphs whose tables are not used. */
const FEW = 8;

/** @param maxRows longest sample, at most the model's context */
export async function openStreamed(
  config: ModelConfig,
  { openBackend, floats }: StreamedParts,
  maxRows: number,
): Promise<StreamedForward> {
  const { decoder } = config;
  const f32 = { plan: planOf("f32"), activations: "f32", context: maxRows, maxRows } as const;
  const small = (changes: Partial<DecoderConfig>): ModelConfig => ({
    architecture: "llama",
    decoder: { ...decoder, ...changes },
  });
  const graph = buildGraph(small({ layers: 1, vocab: FEW, tiedEmbeddings: true }), f32);
  const block = await openBackend();
  await block.allocate(graph.tensors);
  let head: { readonly backend: Backend; readonly graph: Graph } | null = null;
  return {
    hidden: decoder.hidden,
    layers: decoder.layers,
    maxRows,
    embed: (samples) => embedAll(config, openBackend, floats, samples),
    async load(layer, from = floats) {
      for (const spec of graph.tensors) {
        if (spec.class !== "weights" || spec.layer !== 0) continue;
        const values = await from(spec.name.replace("layers.0.", `layers.${layer}.`));
        await block.upload(spec.id, { kind: "f32", rows: spec.rows, cols: spec.cols, values });
      }
    },
    async run(x, taps) {
      const rows = checkRows(x.length / decoder.hidden, maxRows);
      block.write(graph.decoder.x, x);
      const ops = decoderOps(decoderPass(graph), rows, 0);
      const { outputs } = await block.submit(withTaps(ops, graph, taps, rows));
      return inOrder(taps, outputs as readonly Float32Array[]);
    },
    async logits(x) {
      head ??= await openHead(small({ layers: 0 }), openBackend, floats, maxRows);
      const rows = checkRows(x.length / decoder.hidden, maxRows);
      head.backend.write(head.graph.decoder.x, x);
      const ops = headOps(decoderPass(head.graph), 0, rows);
      const { outputs } = await head.backend.submit([...ops, output(head.graph.decoder.logits, rows)]);
      return outputs[0] as Float32Array;
    },
    async close() {
      await block.close();
      await head?.backend.close();
    },
  };
}

function checkRows(rows: number, most: number): number {
  if (Number.isInteger(rows) && rows > 0 && rows <= most) return rows;
  throw new InputError("calibration", "sample", `has ${rows} tokens, 1 to ${most} are possible`, "Cut the sample");
}

const output = (x: number, rows: number): Op => ({ kind: "output", x, xRow: 0, rows, as: "values" });

/** The order in which a block's taps come by. */
const ORDER: readonly Tap[] = ["attentionIn", "attended", "middle", "ffnIn", "activated", "branch", "out"];

/** The block's ops with an output wherever a wanted tensor has just been made. */
function withTaps(ops: readonly Op[], { decoder }: Graph, taps: readonly Tap[], rows: number): Op[] {
  const wanted = new Set(taps);
  let left = [...ORDER];
  const place = (tap: Tap): readonly [Op["kind"], number] => {
    switch (tap) {
      case "attentionIn":
      case "ffnIn":
        return ["rmsnorm", decoder.normed];
      case "attended":
        return ["attention", decoder.attended];
      case "middle":
      case "out":
        return ["add", decoder.x];
      case "activated":
        return ["swiglu", decoder.gated];
      case "branch":
        return ["matmul", decoder.branch];
      default:
        return tap satisfies never;
    }
  };
  return ops.flatMap((op) => {
    const next = left[0];
    if (next === undefined) return [op];
    const [kind, id] = place(next);
    if (op.kind !== kind || !("out" in op) || op.out !== id) return [op];
    left = left.slice(1);
    return wanted.has(next) ? [op, output(id, rows)] : [op];
  });
}

function inOrder(taps: readonly Tap[], outputs: readonly Float32Array[]): Taps {
  const wanted = ORDER.filter((tap) => taps.includes(tap));
  return Object.fromEntries(wanted.map((tap, i) => [tap, outputs[i]]));
}

async function openHead(
  config: ModelConfig,
  openBackend: StreamedParts["openBackend"],
  floats: FloatsOf,
  rows: number,
) {
  const graph = buildGraph(config, {
    plan: planOf("f32"),
    activations: "f32",
    context: rows,
    maxRows: rows,
    logitRows: rows,
  });
  const backend = await openBackend();
  await backend.allocate(graph.tensors);
  await uploadAll(backend, graph, floats);
  return { backend, graph };
}

async function uploadAll(backend: Backend, graph: Graph, floats: FloatsOf, isWanted = (_name: string) => true) {
  for (const { class: kind, id, name, rows, cols } of graph.tensors) {
    if (kind !== "weights" || !isWanted(name)) continue;
    await backend.upload(id, { kind: "f32", rows, cols, values: await floats(name) });
  }
}

async function embedAll(
  config: ModelConfig,
  openBackend: StreamedParts["openBackend"],
  floats: FloatsOf,
  samples: readonly LayerSample[],
): Promise<Float32Array[]> {
  const features = samples.some(({ pixels }) => pixels !== null) ? await openEyes(config, openBackend, floats) : null;
  try {
    const { hidden } = config.decoder;
    const table = await floats("model.embed_tokens.weight");
    const states: Float32Array[] = [];
    for (const { tokens, pixels } of samples) {
      const seen = pixels && features ? await features.see(pixels()) : null;
      const x = new Float32Array(tokens.length * hidden);
      let next = 0;
      for (const [i, token] of tokens.entries()) {
        const image = seen && config.architecture === "llava" && token === config.imageTokenId;
        const row = image ? next++ : token;
        x.set((image ? seen : table).subarray(row * hidden, (row + 1) * hidden), i * hidden);
      }
      states.push(x);
    }
    return states;
  } finally {
    await features?.backend.close();
  }
}

/** The tower and projector alone. */
async function openEyes(config: ModelConfig, openBackend: StreamedParts["openBackend"], floats: FloatsOf) {
  if (config.architecture !== "llava") {
    throw new InputError("calibration", "image", "this model reads text only", "Leave pictures out of the set");
  }
  const decoder = { ...config.decoder, layers: 0, vocab: FEW, tiedEmbeddings: true };
  const graph = buildGraph({ ...config, decoder }, { plan: planOf("f32"), activations: "f32", context: 1 });
  const { eyes, plan } = graph;
  if (!eyes) throw new InputError("calibration", "image", "this model has no eyes", "Leave pictures out of the set");
  const backend = await openBackend();
  await backend.allocate(graph.tensors);
  await uploadAll(backend, graph, floats, (name) => !name.startsWith("model."));
  const ops = [
    ...visionOps(config.vision, eyes.vision, plan, "f32"),
    ...projectorOps(config.projector, eyes.projector, plan, "f32", eyes.vision.x, eyes.patches),
    output(eyes.projector.features, eyes.patches),
  ];
  const see = async (pixels: Float32Array): Promise<Float32Array> => {
    backend.write(eyes.vision.image, pixels);
    return (await backend.submit(ops)).outputs[0] as Float32Array;
  };
  return { backend, see };
}
