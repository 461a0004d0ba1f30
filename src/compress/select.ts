// From scores to a set of blocks: the lowest ones, a contiguous run, or spaced ones; protected blocks stay.

import { InputError } from "../core/errors.js";

export type Shape = "free" | "contiguous" | "spaced";
export const SHAPES: readonly Shape[] = ["free", "contiguous", "spaced"];

/** The first two and the last block: without any one of them a decoder falls apart. */
export const protectedByDefault = (layers: number): readonly number[] => [0, 1, layers - 1];

export interface SelectOptions {
  readonly count: number;
  readonly shape: Shape;
  readonly protect: readonly number[];
}

/** Blocks that may go. Throws InputError when they are fewer than `count`. */
export function removable(layers: number, { count, protect }: Pick<SelectOptions, "count" | "protect">): number[] {
  const free = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !protect.includes(layer));
  if (count >= 1 && count <= free.length) return free;
  const kept = protect.length > 0 ? ` with blocks ${protect.join(", ")} protected` : "";
  const problem = `${count} of ${layers} blocks cannot be removed${kept}`;
  const remedy =
    free.length > 0 ? `Remove 1 to ${free.length}, or protect fewer (--protect none)` : "Protect fewer blocks";
  throw new InputError("nibblemark compress", "--prune", problem, remedy);
}

/** Blocks by score, lowest first; equal scores: the deeper one first. Blocks without a score come last. */
export function orderOf(scores: readonly (number | null)[]): number[] {
  const value = (layer: number) => scores[layer] ?? Number.POSITIVE_INFINITY;
  return scores.map((_, layer) => layer).sort((a, b) => value(a) - value(b) || b - a);
}

/**
 * The set to remove, ascending.
 * @param order all blocks, least important first
 * @param spans score of removing `count` blocks from each first block on, where a criterion has such; else the sum of ranks decides
 */
export function selectSet(
  order: readonly number[],
  options: SelectOptions,
  spans?: readonly (number | null)[],
): number[] {
  const layers = order.length;
  const free = removable(layers, options);
  const ranked = order.filter((layer) => free.includes(layer));
  if (options.shape === "contiguous") return contiguous(order, free, options.count, spans);
  if (options.shape === "free") return ranked.slice(0, options.count).sort((a, b) => a - b);
  return spaced(ranked, options.count);
}

/** First blocks of all runs of `count` free blocks. */
function runStarts(free: readonly number[], count: number): number[] {
  const starts = free.filter((first) =>
    Array.from({ length: count }, (_, i) => first + i).every((l) => free.includes(l)),
  );
  if (starts.length > 0) return starts;
  const problem = `no ${count} neighbouring blocks are free`;
  throw new InputError("nibblemark compress", "--shape contiguous", problem, "Remove fewer, or use --shape free");
}

/** Blocks that a search may take next so that the set can still get its shape. */
export function nextBlocks(layers: number, chosen: readonly number[], options: SelectOptions): number[] {
  const free = removable(layers, options);
  const left = free.filter((layer) => !chosen.includes(layer));
  if (options.shape === "free") return left;
  if (options.shape === "spaced") {
    const apart = left.filter((layer) => chosen.every((other) => Math.abs(other - layer) > 1));
    return apart.length > 0 ? apart : left;
  }
  const starts = runStarts(free, options.count);
  const fits = (set: readonly number[]) =>
    starts.some((first) => set.every((layer) => layer >= first && layer < first + options.count));
  return left.filter((layer) => {
    const set = [...chosen, layer];
    return neighbours(set) === set.length - 1 && fits(set);
  });
}

/** Pairs of neighbours in a set. */
export const neighbours = (set: readonly number[]): number => set.filter((layer) => set.includes(layer + 1)).length;

function contiguous(
  order: readonly number[],
  free: readonly number[],
  count: number,
  spans?: readonly (number | null)[],
): number[] {
  const starts = runStarts(free, count);
  const rank = new Map(order.map((layer, place) => [layer, place]));
  const cost = (first: number) =>
    spans?.[first] ?? Array.from({ length: count }, (_, i) => rank.get(first + i) ?? 0).reduce((a, b) => a + b, 0);
  const best = starts.reduce((least, first) => (cost(first) < cost(least) ? first : least));
  return Array.from({ length: count }, (_, i) => best + i);
}

/** No two neighbours as long as that is possible, then in order. */
function spaced(ranked: readonly number[], count: number): number[] {
  const chosen: number[] = [];
  for (const gap of [2, 1]) {
    for (const layer of ranked) {
      if (chosen.length === count) break;
      if (!chosen.includes(layer) && chosen.every((other) => Math.abs(other - layer) >= gap)) chosen.push(layer);
    }
  }
  return chosen.sort((a, b) => a - b);
}
