// The concrete models and backends of this host: opens a model file (or a synthetic shape) on a target.

import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openRepacker } from "../../backends/wasm/repacker.js";
import { InputError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { Backend, Platform, Quantizer } from "../../core/ports.js";
import type { ModelRef } from "../../core/scenario.js";
import { readFloat32 } from "../../formats/convert.js";
import { closeModel, openModel } from "../../formats/index.js";
import { buildGraph, type Graph } from "../../model/graph.js";
import { preprocess } from "../../model/image.js";
import { groupOf, type LoadedModel, type LoadParts, loadModel } from "../../model/load.js";
import { activationsOf, planOf } from "../../model/plan.js";
import { openSession } from "../../model/session.js";
import { LLAVA_15_LAYERS, llava15Decoder } from "../../model/shapes.js";
import { loadSynthetic } from "../../model/synthetic.js";
import type { FullDepth, ImageInput, Subject, SubjectParts, SubjectRequest } from "../../run/parts.js";
import { openTarget, targetsFor } from "./backends.js";
import { dryBackend } from "./dry.js";
import { testPicture } from "./picture.js";

/** The shipped model's folder in the package. */
export const SHIPPED_MODEL = "models/nibblemark-llava-2m";

export interface OpenModels extends SubjectParts {
  /** The model behind a reference, opened once. Throws InputError for a synthetic shape. */
  model(ref: ModelRef): Promise<Model>;
  close(): Promise<void>;
}

type FileRef = Exclude<ModelRef, { kind: "synthetic" }>;

function modelPath(ref: FileRef, platform: Platform): string {
  return ref.kind === "file" ? ref.path : platform.packagePath(SHIPPED_MODEL);
}

export async function openSubjects(platform: Platform, threads: number): Promise<OpenModels> {
  const quantizer = await openQuantizer(platform);
  const repacker = await openRepacker(platform);
  const models = new Map<string, Promise<Model>>();
  const modelOf = (ref: ModelRef): Promise<Model> => {
    if (ref.kind === "synthetic") {
      throw new InputError(ref.shape, "", "synthetic weights have no text and no quality", "Name a model file");
    }
    const path = modelPath(ref, platform);
    const opened = models.get(path) ?? openModel(platform, path);
    models.set(path, opened);
    return opened;
  };
  const most = threads === 0 ? platform.cpuCount : threads;
  return {
    targets: (wanted) => targetsFor(platform, most, wanted),
    model: modelOf,
    async open(request) {
      const backend = await openTarget(platform, request.target);
      try {
        if (request.model.kind === "synthetic")
          return await syntheticSubject(backend, quantizer, request.model, request);
        return await fileSubject({ backend, quantizer, repacker }, await modelOf(request.model), request);
      } catch (error) {
        await backend.close();
        throw error;
      }
    },
    fullDepth,
    async close() {
      for (const model of models.values()) await model.then(closeModel, () => {});
    },
  };
}

async function syntheticSubject(
  backend: Backend,
  quantizer: Quantizer,
  { shape, layers }: Extract<ModelRef, { kind: "synthetic" }>,
  request: SubjectRequest,
): Promise<Subject> {
  const { quant, activations, kv, seed, room } = request;
  if (quant === "f32" || quant === "int8" || quant === "stored") {
    throw new InputError(shape, quant, "the synthetic shape has int4 weights only", "Use int4-g32 or int4-g128");
  }
  const options = { shape, layers, group: groupOf(quant), activations, kv, seed, context: room.positions };
  const loaded = await loadSynthetic(backend, quantizer, options);
  return subjectOf(`${shape} (${layers} of ${LLAVA_15_LAYERS} layers)`, true, request, loaded, null);
}

async function fileSubject(
  parts: Pick<LoadParts, "backend" | "quantizer" | "repacker">,
  model: Model,
  request: SubjectRequest,
): Promise<Subject> {
  const { quant, activations, room } = request;
  const kv = request.kv ?? model.kv;
  const plan = planOf(quant, model.stored, kv);
  const empty = buildGraph(model.config, { plan, activations, context: 1 });
  const most = model.config.decoder.maxContext;
  const withImage = Math.min(most, room.positions + (empty.eyes?.patches ?? 0));
  const context = Math.max(room.positions, withImage);
  const options = { plan, activations, context, maxRows: Math.min(512, context), logitRows: room.logitRows };
  const loaded = await loadModel(model, { ...parts, readFloat32 }, options);
  return subjectOf(model.name, false, { ...request, kv }, loaded, imageOf(loaded.graph));
}

function imageOf({ config, eyes }: Graph): ImageInput | null {
  if (config.architecture !== "llava" || !eyes) return null;
  const pixels = preprocess(testPicture(config.vision.imageSize), config.vision);
  return { rows: eyes.patches, token: config.imageTokenId, pixels };
}

function subjectOf(
  model: string,
  synthetic: boolean,
  { target, quant, activations, kv }: SubjectRequest,
  loaded: LoadedModel,
  image: ImageInput | null,
): Subject {
  const { graph, backend } = loaded;
  return {
    model,
    synthetic,
    target,
    quant,
    activations: activationsOf(graph.plan, "decoder", activations) + (kv === "int8" ? ", int8 KV" : ""),
    specs: graph.tensors,
    vocab: graph.config.decoder.vocab,
    image,
    session: (hook, keepsOps) => openSession(loaded, hook, keepsOps),
    residentBytes: () => backend.residentBytes(),
    close: () => backend.close(),
  };
}

function fullDepth({ model, quant, activations, kv = "f32", room, target }: SubjectRequest): FullDepth | null {
  if (model.kind !== "synthetic" || model.layers === LLAVA_15_LAYERS) return null;
  if (quant === "f32" || quant === "int8" || quant === "stored") return null;
  const plan = { decoder: quant, vision: quant, projector: quant, embedding: quant, kv };
  const config = { architecture: "llama", decoder: llava15Decoder(LLAVA_15_LAYERS) } as const;
  const graph = buildGraph(config, { plan, activations, context: room.positions });
  const loaded = { graph, backend: dryBackend(graph, target) };
  return { layers: LLAVA_15_LAYERS, specs: graph.tensors, session: (hook) => openSession(loaded, hook) };
}
