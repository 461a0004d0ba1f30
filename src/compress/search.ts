// Choosing by what a removal really costs: greedy re-scoring (SLEB, Song et al. 2024), and our own criterion, which starts from the sets
// that all other criteria propose and exchanges blocks as long as the healed model's divergence falls.

import { InputError } from "../core/errors.js";
import { neighbours, nextBlocks, orderOf, removable, type SelectOptions } from "./select.js";
import { type Losses, meanLoss, type Trial } from "./trial.js";

export interface Found {
  readonly removed: readonly number[];
  readonly loss: number;
  /** Blocks in the order in which they were taken, where there is one. */
  readonly order: readonly number[];
  readonly runs: number;
}

/** A set that was run, with the healed model's divergence: its mean over classes, and each class's. */
export interface TriedSet {
  readonly set: readonly number[];
  readonly divergence: number;
  readonly losses: Losses;
}

/** SLEB: removes the block whose loss costs least, again and again, each time scoring all that are left. */
export async function greedySet(
  trial: Trial,
  options: SelectOptions,
  measure: (losses: Losses) => number,
  heal = false,
): Promise<Found> {
  const order: number[] = [];
  let loss = 0;
  for (let step = 0; step < options.count; step++) {
    const scores: (number | null)[] = new Array(trial.layers).fill(null);
    for (const layer of nextBlocks(trial.layers, order, options)) {
      scores[layer] = measure(await trial.losses([...order, layer], heal));
    }
    const best = orderOf(scores)[0];
    loss = scores[best] as number;
    order.push(best);
  }
  return { removed: [...order].sort((a, b) => a - b), loss, order, runs: trial.runs() };
}

/** Divergence from the whole model, classes of tokens weighing the same. */
export const divergence = (losses: Losses): number => meanLoss(losses, "kl");

/**
 * Our criterion, `healed-swap`: the best of the proposed sets by the divergence of the *healed* model on a few samples, then exchanges of
 * one removed for one kept block as long as one makes it less. Neighbours of removed blocks are tried first: what ReplaceMe can
 * heal depends on how the set is spread, which no score of single blocks sees.
 * @param proposals sets of `count` blocks; those of another shape than the asked one are passed over. Exchanges keep the shape: spaced sets
 * have no more neighbours than the best spaced proposal
 * @param budget most sets to run
 */
export async function healedSwap(
  trial: Trial,
  options: SelectOptions,
  proposals: readonly (readonly number[])[],
  budget: number,
  heal = true,
): Promise<Found & { readonly tried: readonly TriedSet[] }> {
  // ReplaceMe needs a block before what is removed.
  const free = removable(trial.layers, options).filter((layer) => !heal || layer > 0);
  const runs = trial.runs();
  const tried: TriedSet[] = [];
  const cost = async (set: readonly number[]) => {
    try {
      const losses = await trial.losses(set, heal);
      tried.push({ set, losses, divergence: divergence(losses) });
      return divergence(losses);
    } catch (error) {
      // A block that puts nothing out cannot take a map.
      if (error instanceof InputError) return Number.POSITIVE_INFINITY;
      throw error;
    }
  };
  const whole = proposals.filter((set) => set.length === options.count && set.every((layer) => free.includes(layer)));
  const fewest = Math.min(...whole.map(neighbours));
  const isShaped = (set: readonly number[]) => hasShape(set, options, fewest);
  const legal = whole.filter(isShaped);
  let best = { set: [] as readonly number[], loss: Number.POSITIVE_INFINITY };
  for (const set of legal) {
    const loss = await cost(set);
    if (loss < best.loss) best = { set, loss };
  }
  for (let better = true; better && trial.runs() - runs < budget; ) {
    better = false;
    for (const set of exchanges(best.set, free).filter(isShaped)) {
      if (trial.runs() - runs >= budget) break;
      const loss = await cost(set);
      if (loss >= best.loss) continue;
      best = { set, loss };
      better = true;
      break;
    }
  }
  if (best.set.length === 0) {
    const problem = `none of ${legal.length} sets of ${options.count} blocks can be healed`;
    throw new InputError(
      "nibblemark compress",
      "--criterion healed-swap",
      problem,
      "Give more calibration data, or another criterion",
    );
  }
  const removed = [...best.set].sort((a, b) => a - b);
  return { removed, loss: best.loss, order: removed, runs: trial.runs() - runs, tried };
}

/** @param fewest neighbours that a spaced set may have */
function hasShape(set: readonly number[], { shape, count }: SelectOptions, fewest: number): boolean {
  if (shape === "free") return true;
  return shape === "contiguous" ? neighbours(set) === count - 1 : neighbours(set) <= fewest;
}

/** Sets that differ in one block, nearest exchanges first. */
function exchanges(set: readonly number[], free: readonly number[]): number[][] {
  const pairs = set.flatMap((out) => free.filter((layer) => !set.includes(layer)).map((into) => [out, into] as const));
  return pairs
    .sort(([a, b], [c, d]) => Math.abs(a - b) - Math.abs(c - d) || a - c || b - d)
    .map(([out, into]) => [...set.filter((layer) => layer !== out), into].sort((a, b) => a - b));
}
