// The open model: its weights in a backend, and answers that stream token by token. Each token is an epoch; under the spin
// clock the worker waits after each as long as the far memory would have taken.

import {
  closeModel,
  generateTokens,
  holdsQuantized,
  InputError,
  type LoadedModel,
  loadModel,
  type Model,
  openModel,
  openQuantizer,
  openRepacker,
  openSession,
  openTarget,
  type Platform,
  planOf,
  preprocess,
  promptTokens,
  readFloat32,
  spin,
  streamText,
  type Target,
} from "../../../src/browser.js";
import type { AnswerFacts, ModelFacts, Pixels } from "../protocol.js";
import { answerRun } from "./dry-runs.js";
import type { Run } from "./memory.js";
import { rgbOf } from "./picture.js";

/** Longest answers: the shipped model says one word about a picture and goes on with a text. */
const PICTURE_TOKENS = 24;
const TEXT_TOKENS = 64;

export interface Engine {
  readonly facts: ModelFacts;
  readonly model: Model;
  readonly loaded: LoadedModel;
  close(): Promise<void>;
}

/** One epoch of an answer as it happened. */
export interface AnsweredEpoch {
  readonly measuredNs: number;
  readonly spunNs: number;
}

export interface Asked {
  readonly facts: AnswerFacts;
  /** The op lists that were run. */
  readonly run: Run;
  readonly epochs: readonly AnsweredEpoch[];
}

export interface AskParts {
  readonly platform: Platform;
  readonly onText: (text: string) => void;
  /** How long epoch `index` of a run must last beyond what it took; asked anew at every epoch. */
  readonly waitNs: (run: Run, index: number, measuredNs: number) => number;
  /** Lets messages in; true: stop. */
  readonly stopped: () => Promise<boolean>;
}

/** Reads and rounds a model into the backend of a target. Throws InputError for what cannot be opened or does not fit. */
export async function openEngine(
  platform: Platform,
  path: string,
  target: Target,
  onProgress: (stage: string, done: number, total: number) => void,
): Promise<Engine> {
  const { clock } = platform;
  const start = clock.nowNs();
  const model = await openModel(platform, path);
  const backend = await openTarget(platform, target).catch(async (error: unknown) => {
    await closeModel(model);
    throw error;
  });
  const close = async () => {
    await backend.close();
    await closeModel(model);
  };
  try {
    const quant = holdsQuantized(model) ? "stored" : "int8";
    const [quantizer, repacker] = [await openQuantizer(platform), await openRepacker(platform)];
    const onTensor = (_: unknown, index: number, count: number) => onProgress("loading weights", index, count);
    const parts = { backend, quantizer, repacker, readFloat32, onTensor };
    const loaded = await loadModel(model, parts, { plan: planOf(quant, model.stored), activations: "int8" });
    const { name, fileBytes, tokenizer, config } = model;
    const told = { name, fileBytes, quant, target, sees: config.architecture === "llava", talks: tokenizer !== null };
    const warnings = model.notes ?? [];
    const facts = { ...told, warnings, residentBytes: backend.residentBytes(), loadMs: (clock.nowNs() - start) / 1e6 };
    return { facts, model, loaded, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Answers; text comes piece by piece. Throws InputError for a picture without eyes, or a prompt that is too long. */
export async function ask(engine: Engine, prompt: string, pixels: Pixels | null, parts: AskParts): Promise<Asked> {
  const { model, loaded, facts } = engine;
  const { tokenizer, config } = model;
  const { graph } = loaded;
  if (!tokenizer)
    throw new InputError(model.name, "", "there is no tokenizer", "Choose tokenizer.json together with it");
  const image = pixels && config.architecture === "llava" ? imageOf(config.imageTokenId, graph.eyes?.patches) : null;
  if (pixels && !image) throw new InputError(model.name, "", "reads text only", "Ask without the picture");
  const tokens = promptTokens(tokenizer, prompt, image);
  const most = Math.min(pixels ? PICTURE_TOKENS : TEXT_TOKENS, graph.sizes.context - tokens.length);
  if (most < 1) throw new InputError("question", "", "is longer than the model's context", "Shorten it");
  const planned = await answerRun(loaded, facts.target, tokens, pixels !== null, most);
  const { clock } = parts.platform;
  const start = clock.nowNs();
  const epochs: AnsweredEpoch[] = [];
  let firstTokenNs = 0;
  const session = openSession(loaded, async ({ phase }, submit) => {
    const from = clock.nowNs();
    const result = await submit();
    const measuredNs = clock.nowNs() - from;
    const waitNs = parts.waitNs(planned, epochs.length, measuredNs);
    const spinFrom = clock.nowNs();
    if (waitNs > 0) spin(clock, waitNs);
    const spunNs = waitNs > 0 ? clock.nowNs() - spinFrom : 0;
    epochs.push({ measuredNs, spunNs });
    if (phase !== "vision" && firstTokenNs === 0) firstTokenNs = clock.nowNs() - start;
    return result;
  });
  if (pixels && config.architecture === "llava") await session.see(preprocess(rgbOf(pixels), config.vision));
  const options = { maxTokens: most, sampling: { kind: "greedy" }, eosId: tokenizer.eosId } as const;
  let text = "";
  let stopped = false;
  for await (const piece of streamText(
    tokenizer,
    tokens,
    generateTokens(session, tokens, graph.sizes.context, options),
  )) {
    text += piece;
    parts.onText(piece);
    stopped = await parts.stopped();
    if (stopped) break;
  }
  const answer = { text, tokens: epochs.length - (pixels ? 1 : 0), firstTokenMs: firstTokenNs / 1e6, stopped };
  return { facts: answer, run: { ...planned, epochs: planned.epochs.slice(0, epochs.length) }, epochs };
}

function imageOf(id: number, count = 0): { id: number; count: number } {
  return { id, count };
}
