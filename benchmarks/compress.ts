// How long does compression of one block of LLaVA-1.5-7B's shape take, on all cores, and in how much memory? AWQ of its seven linears
// (channel scales from all tokens, 20-point grid and clip search on 256 sampled ones; the block's forward pass not counted), GPTQ of
// them, and ReplaceMe's map for d = 4096 (4,096 tokens). Bars: 180 s for AWQ and 60 s for the map on two cores, peak memory below
// three blocks of f32 weights. `--only awq | gptq | replaceme`.

import { type BlockInputs, INPUT_TAPS, type InputTap, widthOf } from "../src/compress/activations.js";
import { awqBlock } from "../src/compress/awq.js";
import { type Block, LINEARS, linearsOf } from "../src/compress/block.js";
import { roundAt } from "../src/compress/codes.js";
import { type CompressModule, openCompress } from "../src/compress/kernels.js";
import { quantizeDecoder } from "../src/compress/quantize.js";
import { leastSquaresMap } from "../src/compress/replaceme-maps.js";
import { parseScheme, type Scheme } from "../src/compress/scheme.js";
import type { DecoderConfig } from "../src/core/config.js";
import type { StreamedForward } from "../src/core/layers.js";
import type { Platform } from "../src/core/ports.js";
import { llava15Decoder } from "../src/model/shapes.js";

const TOKENS = 256;
const ALL_TOKENS = 4096;
const config: DecoderConfig = llava15Decoder(1);

/** Seeded values without trigonometry: a multiplicative congruence, with some strong channels as trained models have. */
function fill(values: Float32Array, width: number, size: number, seed: number): void {
  let state = seed >>> 0;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const strong = (i % width) % 211 === 7 ? 12 : 1;
    values[i] = (state / 2147483648 - 1) * size * strong;
  }
}

function syntheticBlock({ arena }: CompressModule): Block {
  const linears = Object.fromEntries(linearsOf(config, 0).map((linear) => [linear.letter, linear]));
  const weights = Object.fromEntries(
    Object.values(linears).map(({ letter, rows, cols }, i) => {
      const at = arena.alloc(rows * cols * 4);
      fill(arena.floats(at, rows * cols), cols, 0.03, i + 1);
      return [letter, at];
    }),
  );
  const norm = () => arena.place(new Float32Array(config.hidden).fill(1));
  return {
    ...{ layer: 0, linears: linears as Block["linears"], weights: weights as Block["weights"] },
    biases: Object.fromEntries(LINEARS.map((letter) => [letter, 0])) as Block["biases"],
    ...{ attentionNorm: norm(), ffnNorm: norm() },
  };
}

/** Inputs as `gatherInputs` leaves them; gives the time of the channel means over all tokens too. */
function syntheticInputs({ arena, kernels }: CompressModule): { inputs: BlockInputs; seconds: number } {
  const each = (make: (tap: InputTap) => number) =>
    Object.fromEntries(INPUT_TAPS.map((tap) => [tap, make(tap)])) as Record<InputTap, number>;
  const sampled = each((tap) => {
    const at = arena.alloc(TOKENS * widthOf(config, tap) * 4);
    fill(arena.floats(at, TOKENS * widthOf(config, tap)), widthOf(config, tap), 1, tap.length);
    return at;
  });
  let seconds = 0;
  const means = each((tap) => {
    const width = widthOf(config, tap);
    const sums = arena.zeros(width * 8);
    const begun = performance.now();
    for (let done = 0; done < ALL_TOKENS; done += TOKENS) kernels.magnitudes(sampled[tap], TOKENS, width, 0, 0, sums);
    seconds += (performance.now() - begun) / 1000;
    const out = arena.alloc(width * 4);
    kernels.means(sums, width, ALL_TOKENS, out);
    return out;
  });
  const spans = [0, 1, 2, 3].map((i) => ({ sample: i, first: 64 * i, length: 64 }));
  return {
    inputs: { spans, tokens: TOKENS, means, sampled, grams: {}, allTokens: ALL_TOKENS, activity: {} },
    seconds,
  };
}

const BLOCK_BYTES = linearsOf(config, 0).reduce((sum, { rows, cols }) => sum + rows * cols * 4, 0);

const blocks = ({ arena }: CompressModule): string =>
  `${(arena.peakBytes() / BLOCK_BYTES).toFixed(2)} blocks of f32 weights (bar 3)`;

/** A block's taps as a forward pass would give them; that pass is not what is measured. */
function syntheticForward(): StreamedForward {
  return {
    ...{ hidden: config.hidden, layers: 1, maxRows: TOKENS },
    async embed() {
      return [];
    },
    async load() {},
    async run(x, taps) {
      const rows = x.length / config.hidden;
      const values = taps.map((tap) => {
        const width = INPUT_TAPS.includes(tap as InputTap) ? widthOf(config, tap as InputTap) : config.hidden;
        const own = new Float32Array(rows * width);
        fill(own, width, 1, Math.round(x[0] * 1e6) + tap.length);
        return [tap, own] as const;
      });
      return Object.fromEntries(values);
    },
    async logits() {
      throw new Error("a block has no head");
    },
    async close() {},
  };
}

/** The whole stage as `compress` runs it, over one block. */
async function gptq(platform: Platform, threads: number): Promise<void> {
  const module = await openCompress(platform, { variant: "simd", threads, cols: 11008, tokens: TOKENS, group: 128 });
  const shapes = new Map(linearsOf(config, 0).map((linear) => [linear.name, linear]));
  const floats = async (name: string) => {
    const linear = shapes.get(name);
    if (!linear) return new Float32Array(config.hidden).fill(1);
    const values = new Float32Array(linear.rows * linear.cols);
    fill(values, linear.cols, 0.03, name.length + linear.letter.charCodeAt(0));
    return values;
  };
  const states = Array.from({ length: ALL_TOKENS / TOKENS }, (_, i) => {
    const state = new Float32Array(TOKENS * config.hidden);
    fill(state, config.hidden, 1, i + 1);
    return state;
  });
  const classes = states.map(() => new Uint8Array(TOKENS));
  const parts = { module, config, floats, forward: syntheticForward(), states, classes };
  const errors: string[] = [];
  const begun = performance.now();
  await quantizeDecoder(parts, {
    scheme: parseScheme("", "gptq-int4-g128") as Scheme,
    onBlock(block) {
      for (const [letter, error] of Object.entries(block.errors)) errors.push(`${letter} ${error.toPrecision(3)}`);
    },
  });
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `GPTQ of one 7B block, ${ALL_TOKENS} tokens, ${threads} threads: ${seconds.toFixed(1)} s, with making its`,
  );
  console.log(
    `  synthetic inputs twice; peak memory of the module ${blocks(module)}; mean squared errors ${errors.join(", ")}`,
  );
  await module.close();
}

async function awq(platform: Platform, threads: number): Promise<void> {
  const module = await openCompress(platform, { variant: "simd", threads, cols: 11008, tokens: TOKENS, group: 128 });
  const block = syntheticBlock(module);
  const { inputs, seconds: scaling } = syntheticInputs(module);
  const scheme = parseScheme("", "awq-int4-g128") as Scheme;
  const begun = performance.now();
  const { scales } = awqBlock(module, config, block, inputs, scheme);
  const searched = performance.now();
  for (const letter of LINEARS) {
    const { rows, cols } = block.linears[letter];
    roundAt(module, block.weights[letter], rows, cols, scheme);
  }
  const rounding = (performance.now() - searched) / 1000;
  const total = scaling + (searched - begun) / 1000 + rounding;
  const gains = scales.map(({ plainError, error }) => (plainError / error).toFixed(2)).join(", ");
  console.log(
    `AWQ of one 7B block, ${threads} threads: ${total.toFixed(1)} s (bar 180 s; means ${scaling.toFixed(1)}, search`,
  );
  console.log(
    `  ${((searched - begun) / 1000).toFixed(1)}, rounding ${rounding.toFixed(1)}); errors of the modules fall ${gains} times`,
  );
  console.log(`  peak memory of the module ${blocks(module)}`);
  await module.close();
}

/** Its map as `compress` finds it: tokens weighed, and a ridge chosen across two halves of the samples. */
async function normalEquations(platform: Platform, threads: number): Promise<void> {
  const d = config.hidden;
  const module = await openCompress(platform, { variant: "simd", threads, cols: d, tokens: TOKENS, group: 128 });
  const samples = (seed: number) =>
    Array.from({ length: ALL_TOKENS / TOKENS }, (_, i) => {
      const values = new Float32Array(TOKENS * d);
      fill(values, d, 1, seed + 10 * i);
      return values;
    });
  const activations = { branch: samples(1), middle: samples(2), target: samples(3) };
  const times = [0.01, null].map((ridge) => {
    const mark = module.arena.mark();
    const begun = performance.now();
    const run = { first: 1, last: 1, into: 0 };
    leastSquaresMap(module, d, run, activations, { form: "least-squares", ridge });
    module.arena.release(mark);
    return (performance.now() - begun) / 1000;
  });
  const [published, own] = times.map((seconds) => `${seconds.toFixed(1)} s`);
  console.log(`ReplaceMe's map, d = ${d}, ${ALL_TOKENS} tokens, ${threads} threads: ${published} with a given ridge,`);
  console.log(`  ${own} with the search for one (bar 60 s); peak memory of the module ${blocks(module)}`);
  await module.close();
}

const PARTS = { awq, gptq, replaceme: normalEquations };

/** @param only one of its parts; default: all */
export async function compress(platform: Platform, _rounds: number, only?: string): Promise<void> {
  const parts = Object.entries(PARTS).filter(([name]) => only === undefined || name === only);
  if (parts.length === 0) throw new Error(`parts of compress: ${Object.keys(PARTS).join(", ")}`);
  for (const [, measure] of parts) await measure(platform, platform.cpuCount);
}
