// What quantization wants to know of one block's inputs: mean magnitudes of channels over all calibration tokens, some whole rows
// for trying candidates, and Gram matrices for GPTQ. Everything lies in the compression module's memory.

import type { DecoderConfig } from "../core/config.js";
import type { StreamedForward, Tap } from "../core/layers.js";
import type { Address, CompressModule } from "./kernels.js";
import { TOKEN_CLASSES, type TokenClass } from "./samples.js";

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
  /** Mean magnitude of each channel, f32 [width]. */
  readonly means: Readonly<Record<InputTap, Address>>;
  /** f32 [tokens, width] */
  readonly sampled: Readonly<Record<InputTap, Address>>;
  /** f64 [width, width] X^T X over all tokens, of the inputs that it was asked for. */
  readonly grams: Readonly<Partial<Record<InputTap, Address>>>;
  readonly allTokens: number;
  /** Mean magnitude over all channels, by class of token and input; classes that do not occur are absent. */
  readonly activity: Activity;
}

export type Activity = Readonly<Partial<Record<TokenClass, Readonly<Record<InputTap, number>>>>>;

export interface GatherOptions {
  /** Inputs whose Gram matrices are summed. */
  readonly grams: readonly InputTap[];
  /** [tokens] of every sample, in the order of the states. */
  readonly classes: readonly Uint8Array[];
  /** Means are those of the classes, each weighing the same: pictures have many more tokens than answers. */
  readonly balanced: boolean;
}

const eachTap = <T>(make: (tap: InputTap) => T): Record<InputTap, T> =>
  Object.fromEntries(INPUT_TAPS.map((tap) => [tap, make(tap)])) as Record<InputTap, T>;

/** Runs the loaded block over all states and gathers; the states stay as they are. */
export async function gatherInputs(
  module: CompressModule,
  forward: StreamedForward,
  config: DecoderConfig,
  states: readonly Float32Array[],
  options: GatherOptions,
): Promise<BlockInputs> {
  const { arena, kernels } = module;
  const lengths = states.map((state) => state.length / config.hidden);
  const spans = chooseSpans(lengths);
  const tokens = spans.reduce((sum, { length }) => sum + length, 0);
  const sums = TOKEN_CLASSES.map(() => eachTap((tap) => arena.zeros(widthOf(config, tap) * 8)));
  const counts = TOKEN_CLASSES.map(() => 0);
  const sampled = eachTap((tap) => arena.alloc(tokens * widthOf(config, tap) * 4));
  const sides = options.grams.map((tap) => [tap, arena.zeros(widthOf(config, tap) ** 2 * 8)] as const);
  const grams: BlockInputs["grams"] = Object.fromEntries(sides);
  for (const [index, state] of states.entries()) {
    const taps = await forward.run(state, INPUT_TAPS);
    const span = spans.find(({ sample }) => sample === index);
    for (const tap of INPUT_TAPS) {
      const values = taps[tap] as Float32Array;
      const width = widthOf(config, tap);
      const mark = arena.mark();
      const [at, classes] = [arena.place(values), arena.place(options.classes[index])];
      for (const [kind, own] of sums.entries()) {
        const counted = kernels.magnitudes(at, lengths[index], width, classes, 1 << kind, own[tap]);
        if (tap === INPUT_TAPS[0]) counts[kind] += counted;
      }
      const gram = grams[tap];
      if (gram !== undefined) kernels.gramAdd(at, lengths[index], width, gram);
      arena.release(mark);
      if (!span) continue;
      const to = sampled[tap] + span.first * width * 4;
      arena.floats(to, span.length * width).set(values.subarray(0, span.length * width));
    }
  }
  const allTokens = lengths.reduce((sum, length) => sum + length, 0);
  const found = combineMeans(module, config, sums, counts, options.balanced);
  for (const [tap, gram] of sides) kernels.mirror(gram, widthOf(config, tap));
  return { spans, tokens, sampled, grams, allTokens, ...found };
}

/** Means over all tokens, or over the classes' means; and each class's mean over its channels. */
function combineMeans(
  { arena, kernels }: CompressModule,
  config: DecoderConfig,
  sums: readonly Record<InputTap, Address>[],
  counts: readonly number[],
  balanced: boolean,
): Pick<BlockInputs, "means" | "activity"> {
  const present = counts.flatMap((count, kind) => (count > 0 ? [kind] : []));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const activity = Object.fromEntries(
    present.map((kind) => [
      TOKEN_CLASSES[kind],
      eachTap(
        (tap) => kernels.sumDoubles(sums[kind][tap], widthOf(config, tap)) / (counts[kind] * widthOf(config, tap)),
      ),
    ]),
  );
  const means = eachTap((tap) => {
    const width = widthOf(config, tap);
    const total = arena.zeros(width * 8);
    for (const kind of present) {
      kernels.addScaledDoubles(total, sums[kind][tap], width, balanced ? 1 / (counts[kind] * present.length) : 1 / all);
    }
    const out = arena.alloc(width * 4);
    kernels.means(total, width, 1, out);
    return out;
  });
  return { means, activity };
}
