// What quantization wants to know of one block's inputs: mean magnitudes of channels over all calibration tokens, some whole rows
// for trying candidates, and Gram matrices for GPTQ. Everything lies in the compression module's memory.

import type { DecoderConfig } from "../core/config.js";
import type { StreamedForward, Tap } from "../core/layers.js";
import type { Address, CompressModule } from "./kernels.js";

/** Inputs of linears by the tap that they are. */
export const INPUT_TAPS = ["attentionIn", "attended", "ffnIn", "activated"] as const satisfies readonly Tap[];
export type InputTap = (typeof INPUT_TAPS)[number];

export const widthOf = (c: DecoderConfig, tap: InputTap): number => {
  if (tap === "activated") return c.ffn;
  return tap === "attended" ? c.heads * c.headDim : c.hidden;
};

/** Most tokens that candidates are tried on. */
const SAMPLED_TOKENS = 256;
/** Most of one sample: its beginning is a causal sequence of its own. */
const SAMPLED_EACH = 64;

export interface Span {
  readonly sample: number;
  readonly first: number;
  readonly length: number;
}

/** Beginnings of samples, spread over the set, that candidates are tried on. */
export function chooseSpans(lengths: readonly number[]): readonly Span[] {
  const wanted = Math.min(lengths.length, Math.ceil(SAMPLED_TOKENS / Math.min(SAMPLED_EACH, Math.max(...lengths))));
  const step = lengths.length / wanted;
  const spans: Span[] = [];
  let first = 0;
  for (let i = 0; i < lengths.length && first < SAMPLED_TOKENS; i++) {
    // Evenly spread ones first, then the rest as long as there is room.
    const sample = i < wanted ? Math.floor(i * step) : -1;
    if (sample < 0) break;
    const length = Math.min(lengths[sample], SAMPLED_EACH, SAMPLED_TOKENS - first);
    spans.push({ sample, first, length });
    first += length;
  }
  return spans;
}

/** Statistics of one block's inputs; addresses are valid until the arena is released. */
export interface BlockInputs {
  readonly spans: readonly Span[];
  /** Rows of the sampled inputs. */
  readonly tokens: number;
  /** f32 [width] */
  readonly means: Readonly<Record<InputTap, Address>>;
  /** f32 [tokens, width] */
  readonly sampled: Readonly<Record<InputTap, Address>>;
  /** f64 [width, width] X^T X over all tokens; null where it was not asked for. */
  readonly grams: Readonly<Record<InputTap, Address>> | null;
  readonly allTokens: number;
}

const eachTap = <T>(make: (tap: InputTap) => T): Record<InputTap, T> =>
  Object.fromEntries(INPUT_TAPS.map((tap) => [tap, make(tap)])) as Record<InputTap, T>;

/** Runs the loaded block over all states and gathers; the states stay as they are. */
export async function gatherInputs(
  module: CompressModule,
  forward: StreamedForward,
  config: DecoderConfig,
  states: readonly Float32Array[],
  withGrams: boolean,
): Promise<BlockInputs> {
  const { arena, kernels } = module;
  const lengths = states.map((state) => state.length / config.hidden);
  const spans = chooseSpans(lengths);
  const tokens = spans.reduce((sum, { length }) => sum + length, 0);
  const sums = eachTap((tap) => arena.zeros(widthOf(config, tap) * 8));
  const sampled = eachTap((tap) => arena.alloc(tokens * widthOf(config, tap) * 4));
  const grams = withGrams ? eachTap((tap) => arena.zeros(widthOf(config, tap) ** 2 * 8)) : null;
  for (const [index, state] of states.entries()) {
    const taps = await forward.run(state, INPUT_TAPS);
    const span = spans.find(({ sample }) => sample === index);
    for (const tap of INPUT_TAPS) {
      const values = taps[tap] as Float32Array;
      const width = widthOf(config, tap);
      const mark = arena.mark();
      const at = arena.place(values);
      kernels.magnitudes(at, lengths[index], width, 0, 0, sums[tap]);
      if (grams) kernels.gramAdd(at, lengths[index], width, grams[tap]);
      arena.release(mark);
      if (!span) continue;
      const to = sampled[tap] + span.first * width * 4;
      arena.floats(to, span.length * width).set(values.subarray(0, span.length * width));
    }
  }
  const allTokens = lengths.reduce((sum, length) => sum + length, 0);
  const means = eachTap((tap) => {
    const width = widthOf(config, tap);
    const out = arena.alloc(width * 4);
    kernels.means(sums[tap], width, allTokens, out);
    return out;
  });
  if (grams) for (const tap of INPUT_TAPS) kernels.mirror(grams[tap], widthOf(config, tap));
  return { spans, tokens, means, sampled, grams, allTokens };
}
