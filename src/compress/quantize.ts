// Quantizes a model block by block: gathers a block's inputs as the blocks before it, already rounded, make them, treats its seven
// matrices by rtn, hqq, awq or gptq, and lets the samples flow on through the rounded block.

import type { DecoderConfig, DecoderLinear } from "../core/config.js";
import type { FloatsOf, StreamedForward } from "../core/layers.js";
import { type Activity, type BlockInputs, gatherInputs } from "./activations.js";
import { type AwqReport, awqBlock } from "./awq.js";
import { type Block, LINEARS, linearsOf, openBlock, vectorsOf } from "./block.js";
import { flagsOf, groupOf, type MatrixCodes, roundAt, roundMatrix, valuesOf } from "./codes.js";
import { GPTQ_DEFAULTS, type GptqOptions, gptqMatrix } from "./gptq.js";
import type { CompressModule } from "./kernels.js";
import type { Sensitivity } from "./mixed.js";
import type { Scheme } from "./scheme.js";

/** What became of one block. */
export interface QuantizedBlock {
  readonly layer: number;
  readonly matrices: ReadonlyMap<string, MatrixCodes>;
  /** Norms and biases that scales were folded into. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly awq: AwqReport | null;
  /** Mean squared error of each matrix's output on sampled tokens; empty without data. */
  readonly errors: Readonly<Partial<Record<DecoderLinear, number>>>;
  /** Mean magnitude of its inputs by class of token; empty without data. */
  readonly activity: Activity;
}

export interface QuantizeOptions {
  readonly scheme: Scheme;
  readonly gptq?: GptqOptions;
  /** AutoAWQ's scales instead of llm-awq's. */
  readonly duo?: boolean;
  /** awq: classes of tokens weigh the same in the channel scales, however many tokens they have. */
  readonly balanced?: boolean;
  /** Bits of single matrices, by name (mixed.ts). */
  readonly bits?: ReadonlyMap<string, 4 | 8>;
  /** First block: those before it are left as they are, and `states` stand before it (default 0). */
  readonly from?: number;
  /** A block that is done already, or null: it is only run. */
  readonly known?: (layer: number) => Promise<QuantizedBlock | null>;
  /** Takes each new block; none is kept here. */
  readonly onBlock: (block: QuantizedBlock) => void | Promise<void>;
  /** Before each block. */
  readonly onLayer?: (layer: number) => void | Promise<void>;
}

export interface QuantizeParts {
  readonly module: CompressModule;
  readonly config: DecoderConfig;
  readonly floats: FloatsOf;
  /** null: no data; then only rtn and hqq work. */
  readonly forward: StreamedForward | null;
  /** Residual streams before block 0, replaced as they flow on, and the classes of their tokens. */
  readonly states: Float32Array[];
  readonly classes: readonly Uint8Array[];
}

/** All blocks of the decoder, in order; memory holds one of them. */
export async function quantizeDecoder(parts: QuantizeParts, options: QuantizeOptions): Promise<void> {
  const { module, config, forward, states } = parts;
  for (let layer = options.from ?? 0; layer < config.layers; layer++) {
    await options.onLayer?.(layer);
    const known = (await options.known?.(layer)) ?? null;
    const block = known ?? (await quantizeBlock(parts, options, layer));
    if (!known) await options.onBlock(block);
    if (!forward || layer === config.layers - 1) continue;
    await forward.load(layer, floatsOfBlock(module, block, parts.floats));
    for (const [i, state] of states.entries()) states[i] = (await forward.run(state, ["out"])).out as Float32Array;
  }
}

/** Tensors of a rounded block as f32, for running it. */
export function floatsOfBlock(module: CompressModule, block: QuantizedBlock, otherwise: FloatsOf): FloatsOf {
  return async (name) => {
    const matrix = block.matrices.get(name);
    return matrix ? valuesOf(module, matrix) : (block.vectors.get(name) ?? otherwise(name));
  };
}

async function quantizeBlock(parts: QuantizeParts, options: QuantizeOptions, layer: number): Promise<QuantizedBlock> {
  const { module, config, floats, forward, states, classes } = parts;
  const { scheme } = options;
  if (!forward) return roundBlock(parts, options, layer);
  await forward.load(layer, floats);
  const matrices = new Map<string, MatrixCodes>();
  const errors: Partial<Record<DecoderLinear, number>> = {};
  let vectors = new Map<string, Float32Array>();
  let awq: AwqReport | null = null;
  let activity: BlockInputs["activity"] = {};
  for (const letters of passesOf(scheme)) {
    const mark = module.arena.mark();
    const taps = [
      ...new Set(linearsOf(config, layer).flatMap(({ letter, tap }) => (letters.includes(letter) ? tap : []))),
    ];
    const inputs = await gatherInputs(module, forward, config, states, {
      ...{ grams: scheme.method === "gptq" ? taps : [], classes, balanced: options.balanced ?? false },
    });
    const block = await openBlock(module, config, layer, floats, letters);
    if (scheme.method === "awq") {
      awq = awqBlock(module, config, block, inputs, scheme, options.duo ?? false);
      vectors = vectorsOf(module, block, config);
    }
    for (const [i, letter] of letters.entries()) {
      const { name, tap } = block.linears[letter];
      const isLast = letters.slice(i + 1).every((other) => block.linears[other].tap !== tap);
      const codes = oneMatrix(module, block, inputs, options, letter, isLast);
      matrices.set(name, codes);
      errors[letter] = outputError(module, block, inputs, codes, letter);
    }
    activity = inputs.activity;
    module.arena.release(mark);
  }
  return { layer, matrices, vectors, awq, errors, activity };
}

/**
 * Linears that are in memory together. GPTQ takes `down` apart: the Gram matrix of its inputs alone is larger than a block's weights, so
 * the block runs twice.
 */
const passesOf = ({ method }: Scheme): readonly (readonly DecoderLinear[])[] =>
  method === "gptq" ? [["down"], LINEARS.filter((letter) => letter !== "down")] : [LINEARS];

function schemeOf({ scheme, bits }: QuantizeOptions, name: string): Scheme {
  return { ...scheme, bits: bits?.get(name) ?? scheme.bits };
}

function oneMatrix(
  module: CompressModule,
  block: Block,
  inputs: BlockInputs,
  options: QuantizeOptions,
  letter: DecoderLinear,
  isLast: boolean,
): MatrixCodes {
  const linear = block.linears[letter];
  const scheme = schemeOf(options, linear.name);
  const gram = inputs.grams[linear.tap];
  if (scheme.method !== "gptq" || gram === undefined) {
    return roundAt(module, block.weights[letter], linear.rows, linear.cols, scheme);
  }
  return gptqMatrix(module, block.weights[letter], gram, linear, scheme, options.gptq ?? GPTQ_DEFAULTS, isLast);
}

/** Mean squared error of a linear's output on the sampled tokens. */
function outputError(
  module: CompressModule,
  block: Block,
  inputs: BlockInputs,
  codes: MatrixCodes,
  letter: DecoderLinear,
): number {
  const { arena, kernels } = module;
  const mark = arena.mark();
  const { rows, cols, tap } = block.linears[letter];
  const difference = arena.place(valuesOf(module, codes));
  kernels.subtract(difference, block.weights[letter], rows * cols, difference);
  const out = arena.alloc(inputs.tokens * rows * 4);
  kernels.fakeOutput(difference, rows, cols, 0, inputs.sampled[tap], inputs.tokens, cols, -1, out, rows);
  const error = kernels.sumSquares(out, inputs.tokens * rows) / (inputs.tokens * rows);
  arena.release(mark);
  return error;
}

async function roundBlock({ module, config, floats }: QuantizeParts, options: QuantizeOptions, layer: number) {
  const matrices = new Map<string, MatrixCodes>();
  for (const { name, rows, cols } of linearsOf(config, layer)) {
    matrices.set(name, roundMatrix(module, await floats(name), rows, cols, schemeOf(options, name)));
  }
  return { layer, matrices, vectors: new Map<string, Float32Array>(), awq: null, errors: {}, activity: {} };
}

/**
 * How much each matrix of the decoder is hurt by 4 and by 8 bits, from plain rounding on the unrounded model: squared error of its output
 * over the squared output, times its share of the block's work. `states` flow through.
 */
export async function sensitivities(parts: QuantizeParts, scheme: Scheme): Promise<Sensitivity[]> {
  const { module, config, floats, forward, states, classes } = parts;
  if (!forward) return [];
  const found: Sensitivity[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const mark = module.arena.mark();
    await forward.load(layer, floats);
    const inputs = await gatherInputs(module, forward, config, states, {
      ...{ grams: [], classes, balanced: false },
    });
    const block = await openBlock(module, config, layer, floats);
    for (const letter of LINEARS) found.push(sensitivityOf(module, block, inputs, scheme, letter));
    module.arena.release(mark);
    for (const [i, state] of states.entries()) states[i] = (await forward.run(state, ["out"])).out as Float32Array;
  }
  return found;
}

function sensitivityOf(
  module: CompressModule,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
  letter: DecoderLinear,
): Sensitivity {
  const { arena, kernels } = module;
  const mark = arena.mark();
  const { name, rows, cols, tap } = block.linears[letter];
  const [w, x, { tokens }] = [block.weights[letter], inputs.sampled[tap], inputs];
  const out = arena.alloc(tokens * rows * 4);
  kernels.fakeOutput(w, rows, cols, 0, x, tokens, cols, -1, out, rows);
  const size = kernels.sumSquares(out, tokens * rows);
  const work = arena.alloc(Math.ceil(rows / 64) * 8);
  const error = (bits: 4 | 8) => {
    const flags = flagsOf({ ...scheme, bits, method: "rtn" });
    return kernels.fakeLoss(w, w, rows, cols, 0, x, tokens, groupOf(scheme, cols), flags, work) / size;
  };
  const [error4, error8] = [error(4), error(8)];
  arena.release(mark);
  return { name, rows, cols, error4, error8 };
}
