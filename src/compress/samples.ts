// Calibration samples: tokens with their class, and the walk over the model's blocks that all of compression goes by. Memory is
// one block's weights, plus the residual stream of every sample.

import { InputError } from "../core/errors.js";
import type { FloatsOf, LayerSample, StreamedForward, Tap, Taps } from "../core/layers.js";

/** Classes of tokens, in the order that assembly/compress/stats.ts numbers them. */
export const TOKEN_CLASSES = ["image", "prompt", "answer", "text"] as const;
export type TokenClass = (typeof TOKEN_CLASSES)[number];

export interface CalibrationSample extends LayerSample {
  /** [tokens] index in TOKEN_CLASSES. */
  readonly classes: Uint8Array;
}

export interface CalibrationSet {
  readonly samples: readonly CalibrationSample[];
  /** sha256 or the like of the file, for the provenance of what comes out. */
  readonly hash: string;
  /** Where it was read from. */
  readonly source: string;
}

/** Least tokens that statistics of activations are taken from. */
const FEWEST_TOKENS = 64;

/**
 * Checks a set before long work. Gives a warning where a model that sees is calibrated on text alone, else null.
 * @throws InputError for an empty or too small set, or pictures for a model that reads text only
 */
export function checkCalibration(set: CalibrationSet, sees: boolean): string | null {
  const fail = (problem: string, remedy: string) => new InputError(set.source, "", problem, remedy);
  if (set.samples.length === 0)
    throw fail("the calibration set is empty", "Give a file with at least one sample a line");
  const tokens = set.samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
  if (tokens < FEWEST_TOKENS) {
    throw fail(`${tokens} tokens are too few to calibrate on`, `Give at least ${FEWEST_TOKENS}, better some thousands`);
  }
  const pictures = set.samples.filter(({ pixels }) => pixels !== null).length;
  if (pictures > 0 && !sees) {
    throw fail(
      "it has pictures, this model reads text only",
      'Give lines of {"text": ...} or {"prompt": ..., "answer": ...}',
    );
  }
  if (pictures > 0 || !sees) return null;
  return `${set.source} has text only: a model that sees loses most of its sight when it is calibrated without pictures`;
}

/** Tokens of all samples one after another: classes, and where each sample begins. */
export function classesOf(set: Pick<CalibrationSet, "samples">): Uint8Array {
  const parts = set.samples.map(({ classes }) => classes);
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** At most `most` entries, evenly spread. */
export const spread = <T>(list: readonly T[], most: number): readonly T[] =>
  list.length <= most ? list : Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]);

export interface WalkOptions {
  readonly taps: readonly Tap[];
  /** Blocks that run, in order; all when absent. */
  readonly layers?: readonly number[];
  readonly floats?: FloatsOf;
  /** Before a block's samples. */
  readonly onLayer?: (layer: number) => void | Promise<void>;
  /** After one sample; `before` is the residual stream that came in. */
  readonly onSample?: (layer: number, sample: number, before: Float32Array, taps: Taps) => void;
  /** After all samples of a block. */
  readonly afterLayer?: (layer: number, states: readonly Float32Array[]) => void | Promise<void>;
}

/** Runs blocks over all samples; `states` holds the residual streams and is replaced as they flow on. */
export async function walk(forward: StreamedForward, states: Float32Array[], options: WalkOptions): Promise<void> {
  const layers = options.layers ?? Array.from({ length: forward.layers }, (_, layer) => layer);
  const taps: readonly Tap[] = [...new Set<Tap>([...options.taps, "out"])];
  for (const layer of layers) {
    await options.onLayer?.(layer);
    await forward.load(layer, options.floats);
    for (const [index, before] of states.entries()) {
      const found = await forward.run(before, taps);
      options.onSample?.(layer, index, before, found);
      states[index] = found.out as Float32Array;
    }
    await options.afterLayer?.(layer, states);
  }
}
