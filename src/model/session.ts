// One conversation with a loaded model: it knows how far the KV cache is filled and turns tokens into epochs. Each
// submitted op list is one epoch and passes through the caller's hook, which may time it and read its ops.

import type { Phase } from "../core/epoch.js";
import { InputError } from "../core/errors.js";
import type { Op } from "../core/op.js";
import type { SubmitResult } from "../core/ports.js";
import { decoderOps, headOps } from "./decoder.js";
import { decoderPass, type Eyes, type Graph } from "./graph.js";
import type { LoadedModel } from "./load.js";
import { type MovableOps, movableOps } from "./movable.js";
import { projectorOps } from "./projector.js";
import { visionOps } from "./vision.js";

export interface EpochRecord {
  readonly phase: Phase;
  readonly ops: readonly Op[];
}

/** Wraps one epoch; must call `submit` once and hand its result on. */
export type EpochHook = (epoch: EpochRecord, submit: () => Promise<SubmitResult>) => Promise<SubmitResult>;

export interface Session {
  /** Positions in the KV cache. */
  position(): number;
  /** Forgets what came before from position `to` on (default: everything). */
  rewind(to?: number): void;
  /** Normalised planes [3 * size, size] to image features; phase "vision". */
  see(pixels: Float32Array): Promise<void>;
  /** Appends tokens; the logits [vocab] after the last one. Image tokens take the features of the last `see`. */
  logits(tokens: readonly number[]): Promise<Float32Array>;
  /** Appends tokens; the most likely next one. */
  next(tokens: readonly number[]): Promise<number>;
  /** Appends tokens; the logits of every one, [tokens, vocab]. The graph needs `logitRows`. */
  score(tokens: readonly number[]): Promise<Float32Array>;
}

/**
 * Starts a session with an empty cache. Two sessions of one loaded model would share the cache: use one at a time.
 * @param keepsOps whether the hook keeps the op list of its next epoch, which then is that epoch's own; a list that nobody
 *   keeps is moved from token to token
 */
export function openSession(
  loaded: LoadedModel,
  hook?: EpochHook,
  keepsOps: () => boolean = () => hook !== undefined,
): Session {
  const { graph, backend } = loaded;
  let position = 0;
  const moved: Partial<Record<Want, MovableOps>> = {};
  const submit = (phase: Phase, ops: readonly Op[]) =>
    hook ? hook({ phase, ops }, () => backend.submit(ops)) : backend.submit(ops);

  /** The list of one token: built once and then moved on to where it is wanted. */
  function tokenOps(tokens: readonly number[], want: Want): readonly Op[] {
    const chunk = { tokens, imageRow: 0, isLast: true };
    if (keepsOps() || tokens[0] === imageTokenOf(graph)) return textOps(graph, chunk, position, want);
    moved[want] ??= movableOps(textOps(graph, chunk, position, want));
    return moved[want].moveTo(tokens, position);
  }

  async function append(tokens: readonly number[], want: Want): Promise<(Float32Array | Int32Array)[]> {
    checkTokens(graph, tokens, position);
    if (tokens.length === 1) {
      const { outputs } = await submit("decode", tokenOps(tokens, want));
      position++;
      return [...outputs];
    }
    const outputs: (Float32Array | Int32Array)[] = [];
    const most = want === "all" ? graph.sizes.logitRows : graph.sizes.maxRows;
    for (const chunk of chunksOf(graph, tokens, most)) {
      const ops = textOps(graph, chunk, position, want);
      outputs.push(...(await submit("prefill", ops)).outputs);
      position += chunk.tokens.length;
    }
    return outputs;
  }

  return {
    position: () => position,
    rewind(to = 0) {
      position = Math.min(position, to);
    },
    async see(pixels) {
      const eyes = eyesOf(graph);
      checkPixels(graph, eyes, pixels);
      backend.write(eyes.vision.image, pixels);
      await submit("vision", imageOps(graph, eyes));
    },
    logits: async (tokens) => (await append(tokens, "last")).at(-1) as Float32Array,
    next: async (tokens) => ((await append(tokens, "argmax")).at(-1) as Int32Array)[0],
    score: async (tokens) => joinRows((await append(tokens, "all")) as Float32Array[]),
  };
}

type Want = "last" | "argmax" | "all";

interface Chunk {
  readonly tokens: readonly number[];
  /** Image rows in the prompt before this chunk. */
  readonly imageRow: number;
  readonly isLast: boolean;
}

function chunksOf(graph: Graph, tokens: readonly number[], most: number): Chunk[] {
  const imageToken = imageTokenOf(graph);
  return Array.from({ length: Math.ceil(tokens.length / most) }, (_, i) => ({
    tokens: tokens.slice(i * most, (i + 1) * most),
    imageRow: tokens.slice(0, i * most).filter((token) => token === imageToken).length,
    isLast: (i + 1) * most >= tokens.length,
  }));
}

function imageTokenOf({ config }: Graph): number {
  return config.architecture === "llava" ? config.imageTokenId : -1;
}

function eyesOf({ eyes }: Graph): Eyes {
  if (!eyes)
    throw new InputError("image", "", "this model reads text only", "Leave the image out or use a LLaVA model");
  return eyes;
}

function checkPixels({ tensors }: Graph, { vision }: Eyes, pixels: Float32Array): void {
  const { rows, cols } = tensors[vision.image];
  if (pixels.length === rows * cols) return;
  const problem = `${pixels.length} values were given, ${rows * cols} are needed`;
  throw new InputError("image", "", problem, "Preprocess the picture for this model");
}

function checkTokens(graph: Graph, tokens: readonly number[], position: number): void {
  const { context } = graph.sizes;
  const { vocab } = graph.config.decoder;
  if (tokens.length === 0) throw new InputError("prompt", "", "it is empty", "Give at least one token");
  if (position + tokens.length > context) {
    const problem = `${position + tokens.length} positions are needed, the context has ${context}`;
    throw new InputError("context", "", problem, "Shorten the prompt or ask for fewer tokens");
  }
  const bad = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= vocab);
  if (bad === undefined) return;
  const problem = `token ${bad} is outside the vocabulary of ${vocab}`;
  throw new InputError("prompt", "", problem, "Use the tokenizer that belongs to this model");
}

/** The ops of one image: tower and projector. */
function imageOps(graph: Graph, eyes: Eyes): Op[] {
  const { config, plan, activations } = graph;
  if (config.architecture !== "llava") return [];
  return [
    ...visionOps(config.vision, eyes.vision, plan, activations),
    ...projectorOps(config.projector, eyes.projector, plan, activations, eyes.vision.x, eyes.patches),
  ];
}

/** The ops of one chunk of tokens: embedding, image rows, all layers, and the head where its logits are wanted. */
function textOps(graph: Graph, chunk: Chunk, start: number, want: Want): Op[] {
  const pass = decoderPass(graph);
  const { embedding, x, logits } = graph.decoder;
  const { tokens, isLast } = chunk;
  const all = want === "all";
  const head: Op[] =
    all || isLast
      ? [
          ...headOps(pass, all ? 0 : tokens.length - 1, all ? tokens.length : 1),
          {
            kind: "output",
            x: logits,
            xRow: 0,
            rows: all ? tokens.length : 1,
            as: want === "argmax" ? "argmax" : "values",
          },
        ]
      : [];
  return [
    { kind: "embed", tokens, table: embedding, out: x, outRow: 0 },
    ...featureRows(graph, chunk),
    ...decoderOps(pass, tokens.length, start),
    ...head,
  ];
}

/** Copies image features over the rows of image tokens, one op for each run of them. */
function featureRows(graph: Graph, { tokens, imageRow }: Chunk): Op[] {
  const { eyes, decoder } = graph;
  const imageToken = imageTokenOf(graph);
  const ops: Op[] = [];
  let row = imageRow;
  for (let from = tokens.indexOf(imageToken); eyes && from >= 0; ) {
    let end = from;
    while (tokens[end] === imageToken) end++;
    if (row + end - from > eyes.patches) {
      const problem = `it has more than the ${eyes.patches} image tokens of one image`;
      throw new InputError("prompt", "<image>", problem, "Put one image in the prompt");
    }
    ops.push({ kind: "copy", x: eyes.projector.features, xRow: row, out: decoder.x, outRow: from, rows: end - from });
    row += end - from;
    from = tokens.indexOf(imageToken, end);
  }
  return ops;
}

function joinRows(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
