// `run` inside the coordinator: loads a model in one format and streams its answer.

import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openRepacker } from "../../backends/wasm/repacker.js";
import { InputError, UnavailableError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { Platform } from "../../core/ports.js";
import { type Target, targetName } from "../../core/target.js";
import { readFloat32 } from "../../formats/convert.js";
import { answer } from "../../model/generate.js";
import type { Picture } from "../../model/image.js";
import { type LoadParts, loadModel } from "../../model/load.js";
import { holdsQuantized, planOf } from "../../model/plan.js";
import { decodeImage } from "../../platform/images.js";
import type { Control, EpochHook } from "../../run/parts.js";
import { chooseTargets } from "../../run/targets.js";
import { openTarget } from "../parts/backends.js";
import { type OpenModels, openSubjects } from "../parts/subjects.js";
import type { AnswerRequest, FinalEvent } from "../protocol.js";

async function readPicture(platform: Platform, path: string): Promise<Picture> {
  const source = await platform.open(path);
  try {
    return decodeImage(path, await source.read(0, source.sizeBytes));
  } finally {
    await source.close();
  }
}

/** Times what an answer takes: the epochs up to its first token, and the rest. */
function stopwatch(control: Control) {
  const start = control.clock.nowNs();
  let firstTokenNs: number | null = null;
  let answerTokens = 0;
  let promptTokens = 0;
  const hook: EpochHook = async ({ phase, ops }, submit) => {
    if (phase === "prefill") for (const op of ops) if (op.kind === "embed") promptTokens += op.tokens.length;
    const result = await submit();
    if (phase !== "vision") answerTokens++;
    if (phase !== "vision") firstTokenNs ??= control.clock.nowNs() - start;
    return result;
  };
  const facts = () => {
    const first = firstTokenNs ?? 0;
    return { promptTokens, answerTokens, firstTokenNs: first, decodeNs: control.clock.nowNs() - start - first };
  };
  return { hook, facts };
}

/** A template comes with its file: none in use takes a hundredth of this. */
const TEMPLATE_MS = 1000;

/** The prompt as the model wants it: in its chat template, or with a picture on a line of its own. */
function promptOf(
  platform: Platform,
  { prompt, chat }: AnswerRequest,
  { tokenizer, origin }: Model,
  picture: boolean,
): string {
  if (chat) {
    const render = tokenizer?.chat;
    const work = () => render?.([{ role: "user", content: prompt }]) ?? "";
    if (render) return platform.limited?.("chat template", TEMPLATE_MS, work) ?? work();
    throw new InputError(origin, "--chat", "the model has no chat template", "Leave --chat out");
  }
  return picture && !prompt.endsWith("\n") ? `${prompt}\n` : prompt;
}

/** Streams the answer of a model on an open backend. */
async function streamAnswer(
  platform: Platform,
  model: Model,
  parts: LoadParts,
  request: AnswerRequest,
  picture: Picture | null,
  control: Control,
  onText: (text: string) => void,
) {
  const { activations, temperature, topP, seed, maxTokens } = request;
  const { tokenizer } = model;
  const quant = request.quant ?? (holdsQuantized(model) ? "stored" : "int8");
  if (!tokenizer) {
    throw new InputError(model.origin, "", "has no tokenizer", "Put tokenizer.json beside the weights");
  }
  const loaded = await loadModel(model, parts, {
    plan: planOf(quant, model.stored, request.kv ?? model.kv),
    activations,
  });
  const { hook, facts } = stopwatch(control);
  const pieces = answer({
    loaded,
    tokenizer,
    prompt: promptOf(platform, request, model, picture !== null),
    picture,
    maxTokens,
    sampling: temperature === 0 ? { kind: "greedy" } : { kind: "topP", temperature, topP, seed },
    hook,
  });
  for await (const piece of pieces) {
    onText(piece);
    if (await control.stopped()) break;
  }
  return facts();
}

/** The wanted target, or the CPU's fastest. For a WebGPU target that cannot run: why, and what runs in its place. */
async function chosenTarget(
  wanted: string | null,
  subjects: OpenModels,
): Promise<{ target: Target; note: string | null }> {
  const names = wanted === null ? "fastest" : [wanted];
  const statuses = await subjects.targets(names);
  try {
    const [target] = chooseTargets(names, statuses, 0);
    if (!target) throw new InputError("nibblemark run", "--target", "no such target", "See nibblemark doctor");
    return { target, note: null };
  } catch (error) {
    if (!(error instanceof UnavailableError) || !wanted?.includes("webgpu")) throw error;
    const [target] = chooseTargets("fastest", statuses, 0);
    if (!target) throw error;
    return { target, note: `${error.message}. Running on the CPU` };
  }
}

/** Answers on a target; a GPU that fails before its first word is replaced by the CPU. */
export async function answerWork(
  platform: Platform,
  request: AnswerRequest,
  control: Control,
  onText: (text: string) => void,
): Promise<FinalEvent> {
  const subjects = await openSubjects(platform, 0);
  try {
    const model = await subjects.model(request.model);
    const picture = request.image === null ? null : await readPicture(platform, request.image);
    const cache = (request.kv ?? model.kv) === "int8" ? ", int8 KV" : "";
    let said = false;
    const answerOn = async (target: Target, note: string | null): Promise<FinalEvent> => {
      const backend = await openTarget(platform, target);
      try {
        const parts = {
          ...{ backend, readFloat32 },
          quantizer: await openQuantizer(platform),
          repacker: await openRepacker(platform),
        };
        const facts = await streamAnswer(platform, model, parts, request, picture, control, (text) => {
          said = true;
          onText(text);
        });
        const notes = [...(note === null ? [] : [note]), ...(picture === null ? [] : (model.notes ?? []))];
        const told = notes.length === 0 ? null : notes.join("; ");
        return { kind: "answered", facts: { target: `${targetName(target)}${cache}`, note: told, ...facts } };
      } finally {
        await backend.close();
      }
    };
    const { target, note } = await chosenTarget(request.target, subjects);
    try {
      return await answerOn(target, note);
    } catch (error) {
      if (target.backend !== "webgpu" || said || !isOfDevice(error)) throw error;
      const [other] = chooseTargets("fastest", await subjects.targets("fastest"), 0);
      if (!other) throw error;
      return await answerOn(other, `${error.message}. Running on the CPU`);
    }
  } finally {
    await subjects.close();
  }
}

/** The GPU is not there, lost, or too small: the CPU may still do it. */
function isOfDevice(error: unknown): error is InputError | UnavailableError {
  return error instanceof UnavailableError || (error instanceof InputError && error.field === "memory");
}
