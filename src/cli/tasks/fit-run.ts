// `bench --shape llava-1.5-7b --fit 4GiB` inside the coordinator: the whole model with seeded weights in one linear memory, a picture, a
// prompt of image and text tokens, and a few tokens of an answer, with every logit looked at.

import { freemem } from "node:os";
import { openComparer } from "../../backends/wasm/compare.js";
import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { wasmTargets } from "../../backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import { InputError, UnavailableError } from "../../core/errors.js";
import type { FitRun, PartBytes } from "../../core/fit-run.js";
import { tensorBytes } from "../../core/op.js";
import type { LogitComparer, Platform } from "../../core/ports.js";
import { targetName } from "../../core/target.js";
import { GIB, MIB } from "../../core/units.js";
import type { Graph } from "../../model/graph.js";
import { preprocess } from "../../model/image.js";
import type { LoadedModel } from "../../model/load.js";
import { openSession } from "../../model/session.js";
import { LLAVA_15_LAYERS, llava15 } from "../../model/shapes.js";
import { loadWhole, wholeGraph } from "../../model/synthetic.js";
import type { Control } from "../../run/parts.js";
import { chooseTargets, fastestOf } from "../../run/targets.js";
import { testPicture } from "../parts/picture.js";
import type { FinalEvent, FitRunRequest } from "../protocol.js";

/** Layers kept unless told otherwise: a quarter is removed. */
const DEFAULT_LAYERS = 24;
/** Of the process beside the model's tensors: the engine, its code, scratch areas of the kernels. */
const BESIDE_BYTES = 256 * MIB;
/** LLaVA-1.5-7B has 7,063,427,072 parameters, the unused last layer of its tower included. */
const HALF_BYTES = 2 * 7_063_427_072;

/** Throws InputError for layers that do not fit the budget, UnavailableError where this machine has too little memory. */
export async function fitRunWork(platform: Platform, request: FitRunRequest, control: Control): Promise<FinalEvent> {
  const layers = chooseLayers(request);
  const needed = neededBytes(request, layers);
  const free = freeBytes();
  if (free < needed) {
    const reason = `${gib(needed)} are needed, this machine has ${gib(free)} free`;
    throw new UnavailableError(`${request.shape} with ${layers} layers`, reason, "Keep fewer layers with --layers");
  }
  const target = fastestOf(chooseTargets("all", await wasmTargets(platform, threadsOf(platform, request)), 0));
  if (!target) throw new UnavailableError("every target", "none can run", "Run nibblemark doctor");
  const backend = await openWasm(platform, { variant: target.variant as WasmVariant, threads: target.threads });
  try {
    const { clock } = control;
    const began = clock.nowNs();
    const loaded = await loadWhole(backend, await openQuantizer(platform), {
      ...{ layers, seed: request.seed, context: contextOf(request) },
      onTensor: (done, total) => control.progress({ stage: "making weights", done, total }),
    });
    const loadNs = clock.nowNs() - began;
    const times = await measure(loaded, request, await openComparer(platform), control);
    const memoryBytes = backend.residentBytes();
    const report: FitRun = {
      ...{ schemaVersion: 1, shape: request.shape, layers, allLayers: LLAVA_15_LAYERS, target: targetName(target) },
      ...{ budgetBytes: request.budgetBytes, seed: request.seed },
      ...{ imageTokens: loaded.graph.eyes?.patches ?? 0, textTokens: request.textTokens },
      ...{ parts: partsOf(loaded.graph), memoryBytes, memoryPages: memoryBytes / 65536 },
      ...{ peakBytes: platform.peakMemoryBytes(), halfBytes: HALF_BYTES, loadNs },
      ...{ decodeTokens: request.decodeTokens, ...times },
    };
    return { kind: "fit-ran", report };
  } finally {
    await backend.close();
  }
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(2)} GiB`;

const threadsOf = (platform: Platform, { threads }: FitRunRequest): number =>
  threads === 0 ? platform.cpuCount : threads;

/** Room for the picture, the text and the answer. */
function contextOf({ textTokens, decodeTokens }: FitRunRequest): number {
  const { imageSize, patch } = llava15(1).vision;
  return (imageSize / patch) ** 2 + textTokens + decodeTokens;
}

function neededBytes(request: FitRunRequest, layers: number): number {
  const { tensors } = wholeGraph({ layers, context: contextOf(request) });
  return tensors.reduce((sum, spec) => sum + tensorBytes(spec), BESIDE_BYTES);
}

function chooseLayers(request: FitRunRequest): number {
  const { layers, budgetBytes } = request;
  const fits = (count: number) => neededBytes(request, count) <= budgetBytes;
  if (layers !== null) {
    if (fits(layers)) return layers;
    const problem = `${layers} layers need ${gib(neededBytes(request, layers))}`;
    throw new InputError("nibblemark bench", "--fit", problem, "Keep fewer layers with --layers, or allow more");
  }
  for (let count = DEFAULT_LAYERS; count > 0; count--) if (fits(count)) return count;
  const problem = `even one layer needs ${gib(neededBytes(request, 1))}`;
  throw new InputError("nibblemark bench", "--fit", problem, "Allow more");
}

/** What the system could give a process now; a container's limit counts. */
function freeBytes(): number {
  const limit = process.constrainedMemory();
  const free = freemem();
  return limit > 0 ? Math.min(free, limit - process.memoryUsage.rss()) : free;
}

type Times = Pick<FitRun, "visionNs" | "prefillNs" | "decodeNs" | "finiteLogits" | "tokens">;

async function measure(
  loaded: LoadedModel,
  request: FitRunRequest,
  comparer: LogitComparer,
  control: Control,
): Promise<Times> {
  const { textTokens, decodeTokens, rounds } = request;
  const { config, sizes, eyes } = loaded.graph;
  if (config.architecture !== "llava" || !eyes) throw new Error("the shape has no eyes");
  const chunks = Math.ceil((eyes.patches + textTokens) / sizes.maxRows);
  let done = 0;
  const session = openSession(loaded, async ({ phase }, submit) => {
    const stage = phase === "vision" ? "looking at the picture" : "reading the prompt";
    control.progress({ stage: phase === "decode" ? "answering" : stage, ...stepOf(phase, done++) });
    await control.stopped();
    return submit();
  });
  const stepOf = (phase: string, step: number) => {
    if (phase === "vision") return { done: 0, total: 1 };
    return phase === "decode" ? { done: step - 1 - chunks, total: decodeTokens } : { done: step - 1, total: chunks };
  };
  const pixels = preprocess(testPicture(config.vision.imageSize), config.vision);
  // The begin-of-text token, the picture, and text that no two tokens of are alike.
  const text = Array.from({ length: textTokens - 1 }, (_, i) => 100 + ((i * 67) % 30_000));
  const prompt = [1, ...new Array<number>(eyes.patches).fill(config.imageTokenId), ...text];
  const times = { visionNs: [] as number[], prefillNs: [] as number[], decodeNs: [] as number[] };
  let finiteLogits = 0;
  let tokens: number[] = [];
  const timed = async <T>(list: number[], work: () => Promise<T>): Promise<T> => {
    const began = control.clock.nowNs();
    const result = await work();
    list.push(control.clock.nowNs() - began);
    return result;
  };
  const likeliest = (logits: Float32Array): number => {
    finiteLogits += checkFinite(comparer, logits);
    return logits.indexOf(logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY));
  };
  for (let round = 0; round < rounds; round++) {
    session.rewind();
    done = 0;
    await timed(times.visionNs, () => session.see(pixels));
    tokens = [likeliest(await timed(times.prefillNs, () => session.logits(prompt)))];
    await timed(times.decodeNs, async () => {
      for (let i = 0; i < decodeTokens; i++) tokens.push(likeliest(await session.logits(tokens.slice(-1))));
    });
  }
  return { ...times, finiteLogits, tokens };
}

/** How many logits there are. A sum over all of them is only a number where each is one. */
function checkFinite(comparer: LogitComparer, logits: Float32Array): number {
  const { kl, nll } = comparer.compare(logits, logits, Int32Array.of(0));
  if (Number.isFinite(kl) && Number.isFinite(nll)) return logits.length;
  throw new Error("the model gave logits that are not finite");
}

function partsOf({ tensors }: Graph): PartBytes[] {
  const groups = new Map<string, PartBytes>();
  for (const spec of tensors) {
    const part =
      spec.class === "weights" ? `${spec.part} weights` : spec.class === "kv" ? "keys and values" : "activations";
    const form = spec.class === "weights" && spec.rows === 1 ? "f32" : spec.format;
    const before = groups.get(`${part} ${form}`)?.bytes ?? 0;
    groups.set(`${part} ${form}`, { part, form, bytes: before + tensorBytes(spec) });
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes);
}
