// From a prompt to text: prefill once, then one token an epoch until the end token, a limit or the end of the context.

import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { Tokenizer } from "../core/model.js";
import { type Picture, preprocess } from "./image.js";
import type { LoadedModel } from "./load.js";
import { promptTokens } from "./prompt.js";
import { drawToken, type Sampling, uniform } from "./sample.js";
import { type EpochHook, openSession, type Session } from "./session.js";

export interface GenerateOptions {
  readonly maxTokens: number;
  /** Default greedy. */
  readonly sampling?: Sampling;
  /** Ends the text; -1 never stops. Default the tokenizer's. */
  readonly eosId?: number;
}

/** Token ids after a prompt; the end token is not yielded. Stops early where the context ends. */
export async function* generateTokens(
  session: Session,
  prompt: readonly number[],
  context: number,
  options: { readonly maxTokens: number; readonly sampling: Sampling; readonly eosId: number },
): AsyncGenerator<number> {
  const pick = picker(session, options.sampling);
  let token = await pick(prompt);
  for (let made = 0; made < options.maxTokens && token !== options.eosId; made++) {
    yield token;
    if (made + 1 === options.maxTokens || session.position() === context) return;
    token = await pick([token]);
  }
}

function picker(session: Session, sampling: Sampling): (tokens: readonly number[]) => Promise<number> {
  if (sampling.kind === "greedy") return (tokens) => session.next(tokens);
  const random = uniform(sampling.seed);
  const { temperature, topP } = sampling;
  if (!(temperature > 0) || !(topP > 0 && topP <= 1)) {
    const problem = `temperature ${temperature} must be above 0 and topP ${topP} in (0, 1]`;
    throw new InputError("sampling", "", problem, "Use greedy sampling for temperature 0");
  }
  return async (tokens) => drawToken(await session.logits(tokens), temperature, topP, random());
}

/**
 * Text pieces as they come. Ids are decoded together with their prompt, since how a piece reads depends on what stands
 * before it, and bytes of an unfinished character are held back.
 */
export async function* streamText(
  tokenizer: Tokenizer,
  prompt: readonly number[],
  tokens: AsyncIterable<number>,
): AsyncGenerator<string> {
  const ids = [...prompt];
  let shown = tokenizer.decode(ids).length;
  for await (const token of tokens) {
    ids.push(token);
    const text = tokenizer.decode(ids);
    if (text.endsWith("\uFFFD") || text.length <= shown) continue;
    yield text.slice(shown);
    shown = text.length;
  }
  const rest = tokenizer.decode(ids).slice(shown);
  if (rest) yield rest;
}

export interface AnswerRequest extends GenerateOptions {
  readonly loaded: LoadedModel;
  readonly tokenizer: Tokenizer;
  readonly prompt: string;
  /** A decoded picture, or null for text only. */
  readonly picture: Picture | null;
  readonly hook?: EpochHook;
}

/**
 * Streams the answer to a prompt about a picture, or the continuation of a text.
 * Throws InputError for a picture without a model that sees, a bad placeholder, or a prompt longer than the context.
 */
export async function* answer(request: AnswerRequest): AsyncGenerator<string> {
  const { loaded, tokenizer, picture } = request;
  const { config, eyes, sizes } = loaded.graph;
  const session = openSession(loaded, request.hook);
  const prompt = promptTokens(tokenizer, request.prompt, picture && imageTokens(config, eyes?.patches ?? 0));
  if (picture && config.architecture === "llava") await session.see(preprocess(picture, config.vision));
  const tokens = generateTokens(session, prompt, sizes.context, {
    maxTokens: request.maxTokens,
    sampling: request.sampling ?? { kind: "greedy" },
    eosId: request.eosId ?? tokenizer.eosId,
  });
  yield* streamText(tokenizer, prompt, tokens);
}

function imageTokens(config: ModelConfig, count: number) {
  if (config.architecture === "llava") return { id: config.imageTokenId, count };
  throw new InputError("image", "", "this model reads text only", "Leave the image out or use a LLaVA model");
}
