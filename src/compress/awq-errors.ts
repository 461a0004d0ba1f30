// What AWQ's search makes least: the error of a whole module's output on sampled tokens when some of its linears are scaled, rounded
// and scaled back. The attention module for q, k, v; the MLP for gate and up; the layer itself for o and down.

import type { DecoderConfig, DecoderLinear } from "../core/config.js";
import type { BlockInputs } from "./activations.js";
import type { Block } from "./block.js";
import { flagsOf, groupOf } from "./codes.js";
import type { Address, CompressModule } from "./kernels.js";
import type { Scheme } from "./scheme.js";

/** The weights as they are, in assembly/compress/awq.ts. */
const UNROUNDED = -1;

/** Writes one linear's outputs, with bias, to fresh memory; s = 0 for the unrounded weights. */
function product(
  module: CompressModule,
  block: Block,
  letter: DecoderLinear,
  x: Address,
  tokens: number,
  s: Address,
  scheme: Scheme,
): Address {
  const { arena, kernels } = module;
  const { rows, cols } = block.linears[letter];
  const out = arena.alloc(tokens * rows * 4);
  const flags = s === 0 ? UNROUNDED : flagsOf(scheme);
  kernels.fakeOutput(block.weights[letter], rows, cols, s, x, tokens, groupOf(scheme, cols), flags, out, rows);
  const bias = block.biases[letter];
  if (bias !== 0) kernels.add(out, bias, out, tokens, rows, 1);
  return out;
}

/** Compares an output with the unrounded one, which is made once. */
function against(
  { arena, kernels }: CompressModule,
  values: number,
  output: (s: Address) => Address,
): (s: Address) => number {
  const base = arena.alloc(values * 4);
  let isMade = false;
  return (s) => {
    const mark = arena.mark();
    if (!isMade) {
      const made = output(0);
      arena.floats(base, values).set(arena.floats(made, values));
      isMade = true;
    }
    const error = kernels.squaredDistance(output(s), base, values) / values;
    arena.release(mark);
    return error;
  };
}

export function linearError(
  module: CompressModule,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
  letter: DecoderLinear,
): (s: Address) => number {
  const { rows, cols, tap } = block.linears[letter];
  const w = block.weights[letter];
  const work = module.arena.alloc(Math.ceil(rows / 64) * 8);
  const [group, flags, x, tokens] = [groupOf(scheme, cols), flagsOf(scheme), inputs.sampled[tap], inputs.tokens];
  return (s) => module.kernels.fakeLoss(w, w, rows, cols, s, x, tokens, group, flags, work) / (tokens * rows);
}

export function mlpError(
  module: CompressModule,
  config: DecoderConfig,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
): (s: Address) => number {
  const { tokens } = inputs;
  return against(module, tokens * config.hidden, (s) => {
    const x = inputs.sampled.ffnIn;
    const gate = product(module, block, "gate", x, tokens, s, scheme);
    const up = product(module, block, "up", x, tokens, s, scheme);
    module.kernels.swiglu(gate, up, gate, tokens * config.ffn);
    return product(module, block, "down", gate, tokens, 0, scheme);
  });
}

export function attentionError(
  module: CompressModule,
  config: DecoderConfig,
  block: Block,
  inputs: BlockInputs,
  scheme: Scheme,
): (s: Address) => number {
  const { arena, kernels } = module;
  const { heads, kvHeads, headDim, ropeStyle } = config;
  const { tokens, spans } = inputs;
  const table = rotations(module, config, Math.max(...spans.map(({ length }) => length)));
  const places = arena.place(Int32Array.from(spans.flatMap(({ first, length }) => [first, length])));
  const turn = (x: Address, count: number) => {
    for (const { first, length } of spans) {
      const at = x + first * count * headDim * 4;
      kernels.rope(at, table, length, count, headDim, ropeStyle === "half" ? 1 : 0);
    }
  };
  return against(module, tokens * config.hidden, (s) => {
    const x = inputs.sampled.attentionIn;
    const [q, k, v] = (["q", "k", "v"] as const).map((letter) => product(module, block, letter, x, tokens, s, scheme));
    turn(q, heads);
    turn(k, kvHeads);
    const out = arena.alloc(tokens * heads * headDim * 4);
    kernels.attend(q, k, v, out, places, spans.length, heads, kvHeads, headDim);
    return product(module, block, "o", out, tokens, 0, scheme);
  });
}

/** Cosines and sines of positions 0 to `longest` - 1. */
function rotations({ arena, kernels }: CompressModule, config: DecoderConfig, longest: number): Address {
  const { headDim, ropeTheta, ropeFactors, ropeGain = 1 } = config;
  const table = arena.alloc(longest * headDim * 4);
  if (ropeFactors) {
    kernels.ropeTableScaled(
      table,
      longest,
      0,
      headDim,
      ropeTheta,
      arena.place(Float64Array.of(...ropeFactors, ropeGain)),
    );
  } else kernels.ropeTable(table, longest, 0, headDim, ropeTheta);
  return table;
}
