// AWQ of one decoder block (Lin et al. 2023): for each group of linears with one input the channel scales that make the error of
// the whole module least (round to nearest is the first candidate), folded into what comes before; then clipping, kept where
// the layer's own output error falls.

import type { DecoderConfig, DecoderLinear } from "../core/config.js";
import type { BlockInputs, InputTap } from "./activations.js";
import { attentionError, linearError, mlpError } from "./awq-errors.js";
import type { Block } from "./block.js";
import { flagsOf, groupOf } from "./codes.js";
import type { Address, CompressModule } from "./kernels.js";
import type { Scheme } from "./scheme.js";

/** Points of the grid: ratios 0, 1/20, ... 19/20. */
export const GRID = 20;

/** What the search of one group of linears found. */
export interface ScaleChoice {
  readonly linears: readonly DecoderLinear[];
  /** Ratio of the best grid point; 0: no scaling. */
  readonly ratio: number;
  /** Mean squared error of the module's output with plain rounding, and with the best scales. */
  readonly plainError: number;
  readonly error: number;
}

export interface AwqReport {
  readonly scales: readonly ScaleChoice[];
  /** Output error of each clipped linear with and without clipping. */
  readonly clips: readonly { readonly linear: DecoderLinear; readonly before: number; readonly after: number }[];
}

interface Search {
  readonly linears: readonly DecoderLinear[];
  readonly tap: InputTap;
  /** Error with all `linears` scaled by s [cols of their input]. */
  readonly error: (s: Address) => number;
  /** Folds 1 / s into what makes the input. */
  readonly fold: (s: Address) => void;
  /** True: heads that share a value head share their scales. */
  readonly grouped: boolean;
}

/**
 * Searches and applies; the block's weights, norms and biases are changed so that the block computes the same before rounding.
 * @param duo AutoAWQ's scales, which weigh the weights' own magnitudes too
 */
export function awqBlock(
  module: CompressModule,
  config: DecoderConfig,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
  duo = false,
): AwqReport {
  const scales = searchesOf(module, config, block, inputs, scheme).map((search) =>
    searchScales(module, config, block, inputs, scheme, search, duo),
  );
  const clips = (["v", "o", "gate", "up", "down"] as const).map((letter) =>
    clipLinear(module, block, inputs, scheme, letter),
  );
  return { scales, clips };
}

function searchesOf(
  module: CompressModule,
  config: DecoderConfig,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
): Search[] {
  const { kernels } = module;
  const { hidden } = config;
  const divide = (letter: DecoderLinear, s: Address) => {
    const { rows, cols } = block.linears[letter];
    kernels.divideRows(block.weights[letter], rows, cols, s);
    if (block.biases[letter] !== 0) kernels.divideBy(block.biases[letter], rows, 1, s);
  };
  return [
    {
      ...{ linears: ["q", "k", "v"], tap: "attentionIn", grouped: false },
      error: attentionError(module, config, block, inputs, scheme),
      fold: (s) => kernels.divideBy(block.attentionNorm, hidden, 1, s),
    },
    {
      ...{ linears: ["o"], tap: "attended", grouped: config.kvHeads !== config.heads },
      error: linearError(module, block, inputs, scheme, "o"),
      fold: (s) => divide("v", s),
    },
    {
      ...{ linears: ["gate", "up"], tap: "ffnIn", grouped: false },
      error: mlpError(module, config, block, inputs, scheme),
      fold: (s) => kernels.divideBy(block.ffnNorm, hidden, 1, s),
    },
    {
      ...{ linears: ["down"], tap: "activated", grouped: false },
      error: linearError(module, block, inputs, scheme, "down"),
      fold: (s) => divide("up", s),
    },
  ];
}

function searchScales(
  module: CompressModule,
  config: DecoderConfig,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
  search: Search,
  duo: boolean,
): ScaleChoice {
  const { arena, kernels } = module;
  const mark = arena.mark();
  const { linears, tap, grouped, fold, error } = search;
  const { cols } = block.linears[linears[0]];
  const { heads, kvHeads, headDim } = config;
  const width = grouped ? kvHeads * headDim : cols;
  const [own, spread] = [arena.alloc(width * 4), arena.alloc(cols * 4)];
  const means = grouped ? arena.alloc(width * 4) : inputs.means[tap];
  if (grouped) kernels.groupHeads(inputs.means[tap], heads, kvHeads, headDim, means);
  const magnitude = duo && !grouped ? magnitudeOf(module, block, linears, scheme) : 0;
  const at = (index: number): Address => {
    kernels.gridScales(means, magnitude, width, index / GRID, own);
    if (!grouped) return own;
    kernels.spreadHeads(own, heads, kvHeads, headDim, spread);
    return spread;
  };
  arena.floats(spread, cols).fill(1);
  const plainError = error(spread);
  let best = { index: -1, error: plainError };
  for (let index = duo ? 0 : 1; index < GRID; index++) {
    const found = error(at(index));
    if (found < best.error) best = { index, error: found };
  }
  if (best.index >= 0) {
    const s = at(best.index);
    fold(own);
    for (const letter of linears) {
      kernels.scaleColumns(block.weights[letter], block.linears[letter].rows, cols, s, 1);
    }
    kernels.divideBy(inputs.sampled[tap], inputs.tokens * cols, inputs.tokens, s);
  }
  arena.release(mark);
  return { linears, ratio: Math.max(0, best.index) / GRID, plainError, error: best.error };
}

/** AutoAWQ's w_mean over all rows of the linears, f32 [cols]. */
function magnitudeOf(
  { arena, kernels }: CompressModule,
  block: Block,
  linears: readonly DecoderLinear[],
  scheme: Scheme,
): Address {
  const { cols } = block.linears[linears[0]];
  const sums = arena.zeros(cols * 4);
  const group = groupOf(scheme, cols);
  for (const letter of linears) {
    kernels.magnitudeAdd(block.weights[letter], block.linears[letter].rows, cols, group, sums);
  }
  const rows = linears.reduce((sum, letter) => sum + block.linears[letter].rows, 0);
  const counts = arena.alloc(cols * 4);
  arena.floats(counts, cols).fill(rows);
  kernels.divideBy(sums, cols, 1, counts);
  return sums;
}

function clipLinear(
  module: CompressModule,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
  letter: DecoderLinear,
): AwqReport["clips"][number] {
  const { arena, kernels } = module;
  const mark = arena.mark();
  const { rows, cols, tap } = block.linears[letter];
  const group = groupOf(scheme, cols);
  const flags = flagsOf(scheme);
  const weights = block.weights[letter];
  const work = arena.alloc(Math.ceil(rows / 64) * 8);
  const x = inputs.sampled[tap];
  const groups = cols / group;
  const gram = arena.zeros(groups * group * group * 4);
  kernels.blockGramAdd(x, inputs.tokens, cols, group, gram);
  const [limits, choice] = [arena.alloc(rows * groups * 4), arena.alloc(rows * groups)];
  kernels.clipSearch(weights, rows, cols, group, flags, gram, limits, choice);
  const clipped = arena.alloc(rows * cols * 4);
  kernels.clamp(weights, rows, cols, group, limits, clipped);
  const scale = inputs.tokens * rows;
  const before = kernels.fakeLoss(weights, weights, rows, cols, 0, x, inputs.tokens, group, flags, work) / scale;
  const after = kernels.fakeLoss(weights, clipped, rows, cols, 0, x, inputs.tokens, group, flags, work) / scale;
  if (after < before) kernels.clamp(weights, rows, cols, group, limits, weights);
  arena.release(mark);
  return { linear: letter, before, after: Math.min(before, after) };
}
