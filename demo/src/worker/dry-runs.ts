// Op lists without arithmetic: what an answer, a token of the open model, and a token of the 7B shape will touch.

import {
  buildGraph,
  dryBackend,
  epochRecorder,
  type Graph,
  LLAVA_15_LAYERS,
  llava15Decoder,
  openSession,
  type QuantPlan,
  type Session,
  type Target,
} from "../../../src/browser.js";
import type { Run } from "./memory.js";

/** A token is modelled in the middle of a short conversation. */
export const DEPTH = 48;
export const DECODED = 8;
const SHAPE_DEPTH = 64;
const INT4 = "int4-g32";

const still = { nowNs: () => 0 };

async function dryRun(graph: Graph, target: Target, body: (session: Session) => Promise<void>): Promise<Run> {
  const recorder = epochRecorder(still);
  await body(openSession({ graph, backend: dryBackend(graph, target) }, recorder.hook));
  return { specs: graph.tensors, epochs: recorder.take(), threads: target.threads };
}

/** The epochs of an answer of `count` tokens: picture, prompt, then token by token. */
export function answerRun(
  { graph }: { readonly graph: Graph },
  target: Target,
  tokens: readonly number[],
  sees: boolean,
  count: number,
): Promise<Run> {
  const image = graph.eyes ? graph.tensors[graph.eyes.vision.image] : undefined;
  return dryRun(graph, target, async (session) => {
    if (sees && image) await session.see(new Float32Array(image.rows * image.cols));
    await session.next(tokens);
    for (let made = 1; made < count; made++) await session.next([0]);
  });
}

/** `DECODED` tokens after `depth` others. */
async function decodeRun(graph: Graph, target: Target, depth: number): Promise<Run> {
  const run = await dryRun(graph, target, async (session) => {
    await session.next(new Array<number>(depth).fill(0));
    for (let made = 0; made < DECODED; made++) await session.next([0]);
  });
  return { ...run, epochs: run.epochs.filter(({ phase }) => phase === "decode") };
}

/** Tokens of the open model, or of fewer positions where its context is short. */
export function tokenRun(graph: Graph, target: Target): Promise<Run> {
  return decodeRun(graph, target, Math.max(2, Math.min(DEPTH, graph.sizes.context - DECODED)));
}

/** Tokens of LLaVA-1.5-7B's decoder, all 32 layers in int4. */
export function shapeRun(target: Target): Promise<Run> {
  const plan: QuantPlan = { decoder: INT4, vision: INT4, projector: INT4, embedding: INT4 };
  const config = { architecture: "llama", decoder: llava15Decoder(LLAVA_15_LAYERS) } as const;
  const graph = buildGraph(config, { plan, activations: "int8", context: SHAPE_DEPTH + DECODED });
  return decodeRun(graph, target, SHAPE_DEPTH);
}
