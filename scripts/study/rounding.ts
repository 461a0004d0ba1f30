// Quantizes the decoder's blocks of a study's model. Blocks before the first one that a cell changed are alike in all cells of a scheme:
// they are rounded once, and what flows out of them is kept.

import { type Engine, floatsOf, longestOf, withValues } from "../../src/cli/compress/engine.js";
import { prunedSource } from "../../src/compress/prune.js";
import { floatsOfBlock, quantizeDecoder } from "../../src/compress/quantize.js";
import { spread } from "../../src/compress/samples.js";
import { type Scheme, schemeName } from "../../src/compress/scheme.js";
import type { WriteSource } from "../../src/core/write.js";
import type { Bed, Rounding } from "./bench.js";

const newRounding = (): Rounding => ({ blocks: [], calib: [], heldOut: [] });

/** Calibration samples that AWQ and GPTQ look at: of the deep model fewer, as removals are tried on. */
const SAMPLES = { shipped: Number.POSITIVE_INFINITY, smollm2: 16 } as const;

/** A source whose blocks are to be rounded. */
export interface Unrounded {
  readonly source: WriteSource;
  readonly removed: readonly number[];
  /** Blocks from the first one on that are the unpruned model's own. */
  readonly untouched: number;
  readonly engine: Engine | null;
}

/** The model without its removed blocks, each linear as its codes stand for, and what other cells of the scheme may share. */
export async function rounded(bed: Bed, way: Unrounded, scheme: Scheme, roundings: Map<string, Rounding>) {
  const engine = way.engine ?? bed.engine;
  const source = prunedSource(way.source, way.removed);
  const name = schemeName(scheme);
  // What was trained has no block in common with the others, even where it has as many.
  const rounding = way.engine ? newRounding() : (roundings.get(name) ?? newRounding());
  if (!way.engine) roundings.set(name, rounding);
  const { blocks, calib } = rounding;
  const looks = scheme.method === "awq" || scheme.method === "gptq";
  const known = looks ? Math.min(blocks.length, Math.max(0, calib.length - 1)) : blocks.length;
  const from = Math.min(way.untouched, known);
  const values = new Map(blocks.slice(0, from).flatMap((block) => [...block]));
  const samples = spread(bed.calib.samples, SAMPLES[bed.name]);
  const forward = looks ? await engine.forward(source, longestOf(samples)) : null;
  try {
    const states = from > 0 && looks ? calib[from].slice() : ((await forward?.embed(samples)) ?? []);
    const { module } = engine;
    const floats = floatsOf(source);
    const classes = samples.map((sample) => sample.classes);
    const parts = { module, config: source.config.decoder, floats, forward, states, classes };
    await quantizeDecoder(parts, {
      ...{ scheme, from },
      onLayer(layer) {
        if (layer === calib.length && layer <= way.untouched) calib.push(states.slice());
      },
      async onBlock(block) {
        const of = floatsOfBlock(module, block, floats);
        const own = new Map<string, Float32Array>();
        for (const tensor of [...block.matrices.keys(), ...block.vectors.keys()]) own.set(tensor, await of(tensor));
        if (block.layer === blocks.length && block.layer < way.untouched) blocks.push(own);
        for (const [tensor, floats] of own) values.set(tensor, floats);
      },
    });
    return { source: withValues(source, values), rounding };
  } finally {
    await forward?.close();
  }
}
