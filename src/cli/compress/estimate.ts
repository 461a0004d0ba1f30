// How long a compression will take, before it begins: multiply-adds of each stage over what this machine does in a short probe.

import type { Engine } from "./engine.js";
import { type CompressRequest, criteriaOf, removedCount } from "./request.js";

export interface Estimate {
  readonly stages: readonly { readonly stage: string; readonly seconds: number }[];
  readonly seconds: number;
  readonly sftSeconds: number;
}

/** f32 multiply-adds a second of the compression kernels on all threads. */
export function probeSpeed({ module }: Engine): number {
  const { arena, kernels } = module;
  const mark = arena.mark();
  const [tokens, size] = [128, 512];
  const x = arena.zeros(tokens * size * 4);
  const w = arena.zeros(size * size * 4);
  const out = arena.alloc(tokens * size * 4);
  const run = () => kernels.fakeOutput(w, size, size, 0, x, tokens, size, -1, out, size);
  run();
  const begun = performance.now();
  let rounds = 0;
  while (performance.now() - begun < 150) {
    run();
    rounds++;
  }
  const seconds = (performance.now() - begun) / 1000;
  arena.release(mark);
  return (rounds * tokens * size * size) / seconds;
}

/** Multiply-adds of a token in one block. */
function blockWork({ model }: Engine): number {
  const { hidden, heads, kvHeads, headDim, ffn } = model.config.decoder;
  return hidden * headDim * (2 * heads + 2 * kvHeads) + 3 * hidden * ffn;
}

/** Sets of blocks that the criteria will try without. */
export function expectedRuns(request: CompressRequest, layers: number): number {
  const names = criteriaOf(request);
  const count = removedCount(request);
  const searches = names.includes("healed-swap") ? request.searchBudget : 0;
  const singles = names.some((name) => ["perplexity", "task-loss", "healed-swap"].includes(name)) ? layers : 0;
  const greedy = names.includes("sleb") ? (layers - count / 2) * count : 0;
  return Math.ceil(searches + singles + greedy);
}

/** @param tokens of the calibration set, and of healing's samples */
export function estimate(engine: Engine, request: CompressRequest, tokens: number, healTokens: number): Estimate {
  const speed = probeSpeed(engine);
  const { layers, hidden, ffn, vocab } = engine.model.config.decoder;
  const block = blockWork(engine);
  const pass = tokens * (layers * block + hidden * vocab);
  const names = criteriaOf(request);
  const count = removedCount(request);
  const scoring = names.length === 0 ? 0 : pass * (2 + 0.6 * expectedRuns(request, layers));
  const replaced = request.heal.some((name) => name.startsWith("replaceme"));
  const healing = replaced ? pass + count * (4 * tokens * hidden ** 2 + 3 * hidden ** 3) : 0;
  const kept = layers - count;
  const trained = request.heal.some((name) => name.startsWith("sft"));
  const sft = trained ? 3 * 2 * request.sft.steps * healTokens * (kept * block + hidden * vocab) : 0;
  const quantizing = request.plan.decoder ? quantizeWork(request, kept, block, tokens, hidden, ffn) : 0;
  const stages = [
    { stage: "choosing blocks", seconds: scoring / speed },
    { stage: "ReplaceMe", seconds: healing / speed },
    { stage: "SFT", seconds: sft / speed },
    { stage: "quantizing", seconds: quantizing / speed },
  ].filter(({ seconds }) => seconds > 0);
  const seconds = stages.reduce((sum, one) => sum + one.seconds, 0);
  return { stages, seconds, sftSeconds: sft / speed };
}

function quantizeWork(
  { plan }: CompressRequest,
  layers: number,
  block: number,
  tokens: number,
  hidden: number,
  ffn: number,
): number {
  const sampled = Math.min(256, tokens);
  switch (plan.decoder?.method) {
    case "awq":
      // 20 grid points over whole modules, clip search by Gram blocks, two passes of the block.
      return layers * (20 * 1.5 * sampled * block + 10 * 128 * block + 2 * tokens * block);
    case "gptq":
      return layers * (2 * tokens * (3 * hidden ** 2 + ffn ** 2) + 6 * hidden ** 3 + 2 * ffn ** 3 + 2 * tokens * block);
    default:
      return layers * 20 * block;
  }
}

/** `2 h 5 min`, `40 s` */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
