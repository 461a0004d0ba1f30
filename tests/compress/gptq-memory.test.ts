// GPTQ of a block of LLaMA-7B's proportions: its Gram matrices are in double precision and `down`'s alone is larger than the block, yet the
// peak stays under three blocks of f32 weights; the order of columns is changed in place.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { linearsOf } from "../../src/compress/block.js";
import { quantizeDecoder } from "../../src/compress/quantize.js";
import { parseScheme, type Scheme } from "../../src/compress/scheme.js";
import type { DecoderConfig, ModelConfig } from "../../src/core/config.js";
import { builds, noise, openBuild } from "./module.js";
import { tinyDecoder, tinyFloats, tinyForward, tinySamples } from "./tiny.js";

// 4096 and 11008 over 16, rounded up to whole groups.
const decoder: DecoderConfig = {
  ...{ ...tinyDecoder, hidden: 256, layers: 1, heads: 8, kvHeads: 8, headDim: 32, ffn: 704, biases: [] },
};
const config: ModelConfig = { architecture: "llama", decoder };

test("the peak of a block is under three blocks of f32 weights", async () => {
  const module = await openBuild("simd", 704);
  const floats = tinyFloats(config);
  const forward = await tinyForward(floats, config);
  const samples = tinySamples(4);
  const states = await forward.embed(samples);
  const before = module.arena.mark();
  let matrices = 0;
  await quantizeDecoder(
    { module, config: decoder, floats, forward, states, classes: samples.map(({ classes }) => classes) },
    {
      scheme: parseScheme("", "gptq-int4-g32") as Scheme,
      gptq: { actOrder: true, damp: 0.01, block: 128 },
      onBlock(block) {
        matrices += block.matrices.size;
      },
    },
  );
  const block = linearsOf(decoder, 0).reduce((sum, { rows, cols }) => sum + 4 * rows * cols, 0);
  const peak = (module.arena.peakBytes() - before) / block;
  assert.is(matrices, 7);
  assert.ok(peak > 1 && peak < 3, `${peak} blocks`);
  await module.close();
  await forward.close();
});

for (const build of builds) {
  test(`rows and columns change places as asked (${build})`, async () => {
    const { kernels, arena, close } = await openBuild(build);
    const n = 9;
    const next = noise(4);
    const h = Float64Array.from({ length: n * n }, next);
    for (const order of [
      [3, 1, 4, 0, 5, 8, 2, 6, 7],
      [8, 7, 6, 5, 4, 3, 2, 1, 0],
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ]) {
      const at = arena.place(h);
      kernels.permuteBoth(at, n, arena.place(Int32Array.from(order)), arena.alloc(9 * n));
      const expected = Array.from({ length: n * n }, (_, i) => h[order[Math.floor(i / n)] * n + order[i % n]]);
      assert.equal([...arena.doubles(at, n * n)], expected);
    }
    await close();
  });
}

test.run();
