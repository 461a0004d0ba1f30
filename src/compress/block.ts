// One decoder block's tensors in the compression module's memory: seven linears, two norms, biases.

import type { DecoderConfig, DecoderLinear } from "../core/config.js";
import type { FloatsOf } from "../core/layers.js";
import type { InputTap } from "./activations.js";
import type { Address, CompressModule } from "./kernels.js";

export const LINEARS: readonly DecoderLinear[] = ["q", "k", "v", "o", "gate", "up", "down"];

export interface Linear {
  readonly letter: DecoderLinear;
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly tap: InputTap;
}

/** The seven linears of a block with their shapes. */
export function linearsOf(c: DecoderConfig, layer: number): readonly Linear[] {
  const [q, kv] = [c.heads * c.headDim, c.kvHeads * c.headDim];
  const table = {
    q: ["self_attn.q_proj", q, c.hidden, "attentionIn"],
    k: ["self_attn.k_proj", kv, c.hidden, "attentionIn"],
    v: ["self_attn.v_proj", kv, c.hidden, "attentionIn"],
    o: ["self_attn.o_proj", c.hidden, q, "attended"],
    gate: ["mlp.gate_proj", c.ffn, c.hidden, "ffnIn"],
    up: ["mlp.up_proj", c.ffn, c.hidden, "ffnIn"],
    down: ["mlp.down_proj", c.hidden, c.ffn, "activated"],
  } as const;
  return LINEARS.map((letter) => {
    const [part, rows, cols, tap] = table[letter];
    return { letter, name: `model.layers.${layer}.${part}.weight`, rows, cols, tap };
  });
}

export interface Block {
  readonly layer: number;
  readonly linears: Readonly<Record<DecoderLinear, Linear>>;
  /** f32 [rows, cols] */
  readonly weights: Readonly<Record<DecoderLinear, Address>>;
  /** f32 [rows], 0 for none. */
  readonly biases: Readonly<Record<DecoderLinear, Address>>;
  /** f32 [hidden] */
  readonly attentionNorm: Address;
  readonly ffnNorm: Address;
}

/** Reads a block into memory. @param letters linears that are wanted; the others stand at address 0 */
export async function openBlock(
  { arena }: CompressModule,
  config: DecoderConfig,
  layer: number,
  floats: FloatsOf,
  letters: readonly DecoderLinear[] = LINEARS,
): Promise<Block> {
  const linears = Object.fromEntries(linearsOf(config, layer).map((linear) => [linear.letter, linear]));
  const weights: Record<string, Address> = {};
  const biases: Record<string, Address> = {};
  for (const { letter, name } of Object.values(linears)) {
    const isWanted = letters.includes(letter);
    weights[letter] = isWanted ? arena.place(await floats(name)) : 0;
    const has = isWanted && (config.biases?.includes(letter) ?? false);
    biases[letter] = has ? arena.place(await floats(name.replace(/weight$/, "bias"))) : 0;
  }
  return {
    layer,
    linears: linears as Block["linears"],
    weights: weights as Block["weights"],
    biases: biases as Block["biases"],
    attentionNorm: arena.place(await floats(normName(layer, "input"))),
    ffnNorm: arena.place(await floats(normName(layer, "post_attention"))),
  };
}

export const normName = (layer: number, which: "input" | "post_attention"): string =>
  `model.layers.${layer}.${which}_layernorm.weight`;

/** Vectors of a block as they stand now, by name: norms and biases. */
export function vectorsOf({ arena }: CompressModule, block: Block, config: DecoderConfig): Map<string, Float32Array> {
  const { layer, linears, biases } = block;
  const found = new Map<string, Float32Array>([
    [normName(layer, "input"), arena.floats(block.attentionNorm, config.hidden).slice()],
    [normName(layer, "post_attention"), arena.floats(block.ffnNorm, config.hidden).slice()],
  ]);
  for (const { letter, name, rows } of Object.values(linears)) {
    if (biases[letter] !== 0) found.set(name.replace(/weight$/, "bias"), arena.floats(biases[letter], rows).slice());
  }
  return found;
}
