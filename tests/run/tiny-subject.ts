// A LLaVA of a few thousand parameters with seeded weights on the reference backend, as the benchmark takes it.

import { openReference } from "../../src/backends/reference.js";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import type { ModelConfig } from "../../src/core/config.js";
import { buildGraph } from "../../src/model/graph.js";
import { quantize } from "../../src/model/load.js";
import { activationsFor, planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import type { Subject, SubjectParts, SubjectRequest } from "../../src/run/parts.js";

export const VOCAB = 64;
const IMAGE_TOKEN = 4;

const CONFIG: ModelConfig = {
  architecture: "llava",
  decoder: {
    hidden: 32,
    layers: 2,
    heads: 2,
    kvHeads: 2,
    headDim: 16,
    ffn: 64,
    vocab: VOCAB,
    maxContext: 64,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeStyle: "half",
    tiedEmbeddings: true,
  },
  vision: {
    imageSize: 8,
    patch: 4,
    hidden: 32,
    layers: 1,
    heads: 2,
    ffn: 64,
    normEps: 1e-5,
    activation: "quickGelu",
    featureLayer: -1,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  projector: { activation: "gelu", inputs: 32, outputs: 32 },
  imageTokenId: IMAGE_TOKEN,
};

export const TARGET = { host: "node", backend: "reference", variant: "plain", threads: 1 } as const;
const platform = nodePlatform();
const quantizer = await openQuantizer(platform);
/** Pixels of the one picture. */
export const PIXELS = Float32Array.from({ length: 3 * 8 * 8 }, (_, i) => Math.sin(i));

async function open({ quant, activations, room }: SubjectRequest): Promise<Subject> {
  const backend = await openReference(platform);
  const plan = planOf(quant);
  const context = Math.min(64, room.positions + 4);
  const graph = buildGraph(CONFIG, { plan, activations, context, logitRows: room.logitRows });
  await backend.allocate(graph.tensors);
  for (const spec of graph.tensors.filter((tensor) => tensor.class === "weights")) {
    const random = uniform(spec.id + 1);
    const values = Float32Array.from({ length: spec.rows * spec.cols }, () => (random() - 0.5) * 0.6);
    await backend.upload(spec.id, quantize(quantizer, values, spec));
  }
  return {
    model: "tiny",
    synthetic: false,
    target: TARGET,
    quant,
    activations: activationsFor(plan.decoder, activations),
    specs: graph.tensors,
    vocab: VOCAB,
    image: { rows: 4, token: IMAGE_TOKEN, pixels: PIXELS },
    session: (hook, keepsOps) => openSession({ graph, backend }, hook, keepsOps),
    residentBytes: () => backend.residentBytes(),
    close: () => backend.close(),
  };
}

export const tinySubjects: SubjectParts = {
  targets: async () => [{ target: TARGET, available: true, detail: "" }],
  open,
  fullDepth: () => null,
};
