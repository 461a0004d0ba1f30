// How long does compression of one block of LLaVA-1.5-7B's shape take, on all cores? AWQ of its seven linears (channel scales from all
// tokens, 20-point grid and clip search on 256 sampled ones; the block's forward pass not counted) and ReplaceMe's normal equations
// for d = 4096 (4,096 tokens). Bars: 180 s and 60 s on two cores, peak memory below three blocks of f32 weights.

import { type BlockInputs, INPUT_TAPS, type InputTap, widthOf } from "../src/compress/activations.js";
import { awqBlock } from "../src/compress/awq.js";
import { type Block, LINEARS, linearsOf } from "../src/compress/block.js";
import { roundAt } from "../src/compress/codes.js";
import { type CompressModule, openCompress } from "../src/compress/kernels.js";
import { parseScheme, type Scheme } from "../src/compress/scheme.js";
import type { DecoderConfig } from "../src/core/config.js";
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
  const blockBytes = linearsOf(config, 0).reduce((sum, { rows, cols }) => sum + rows * cols * 4, 0);
  const share = module.arena.peakBytes() / blockBytes;
  const gains = scales.map(({ plainError, error }) => (plainError / error).toFixed(2)).join(", ");
  console.log(
    `AWQ of one 7B block, ${threads} threads: ${total.toFixed(1)} s (bar 180 s; means ${scaling.toFixed(1)}, search`,
  );
  console.log(
    `  ${((searched - begun) / 1000).toFixed(1)}, rounding ${rounding.toFixed(1)}); errors of the modules fall ${gains} times`,
  );
  console.log(`  peak memory of the module ${share.toFixed(2)} blocks of f32 weights (bar 3)`);
  await module.close();
}

async function normalEquations(platform: Platform, threads: number): Promise<void> {
  const d = config.hidden;
  const module = await openCompress(platform, { variant: "simd", threads, cols: d, tokens: TOKENS, group: 128 });
  const { arena, kernels } = module;
  const [m, e] = [arena.alloc(TOKENS * d * 4), arena.alloc(TOKENS * d * 4)];
  const [gram, map] = [arena.zeros(d * d * 8), arena.zeros(d * d * 8)];
  let seconds = 0;
  for (let done = 0; done < ALL_TOKENS; done += TOKENS) {
    fill(arena.floats(m, TOKENS * d), d, 1, done + 1);
    fill(arena.floats(e, TOKENS * d), d, 1, done + 2);
    const begun = performance.now();
    kernels.gramAdd(m, TOKENS, d, gram);
    kernels.crossAdd(m, e, TOKENS, d, d, map);
    seconds += (performance.now() - begun) / 1000;
  }
  const begun = performance.now();
  kernels.addDiagonal(gram, d, 0.01 * kernels.diagonalMean(gram, d));
  if (kernels.cholesky(gram, d) >= 0) throw new Error("the Gram matrix is singular");
  kernels.solve(gram, d, map, d);
  const solving = (performance.now() - begun) / 1000;
  const text = `${(seconds + solving).toFixed(1)} s (bar 60 s; sums ${seconds.toFixed(1)}, factor and solution ${solving.toFixed(1)})`;
  console.log(`ReplaceMe's normal equations, d = ${d}, ${ALL_TOKENS} tokens, ${threads} threads: ${text}`);
  await module.close();
}

export async function compress(platform: Platform): Promise<void> {
  const threads = platform.cpuCount;
  await awq(platform, threads);
  await normalEquations(platform, threads);
}
