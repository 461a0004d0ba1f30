// All quantizers over a whole small model: codes in range, errors in the expected order, GPTQ with act-order, HQQ, int8, mixed bits.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { packedInt4, roundMatrix, valuesOf } from "../../src/compress/codes.js";
import { mixedBits } from "../../src/compress/mixed.js";
import { type QuantizedBlock, quantizeDecoder, sensitivities } from "../../src/compress/quantize.js";
import { parseScheme, type Scheme, schemeBits } from "../../src/compress/scheme.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";
import { noise, openBuild } from "./module.js";
import { gathering, tinyDecoder, tinyFloats, tinyForward, tinySamples } from "./tiny.js";

const scheme = (name: string) => parseScheme("--quant", name) as Scheme;

async function quantized(name: string, done: readonly QuantizedBlock[] = []): Promise<QuantizedBlock[]> {
  const floats = tinyFloats();
  const module = await openBuild("threads", 256);
  const forward = await tinyForward(floats);
  const states = await forward.embed(tinySamples(16));
  const { classes } = gathering(16);
  const parts = { module, config: tinyDecoder, floats, forward, states, classes };
  const blocks = [...done];
  const known = async (layer: number) => done[layer] ?? null;
  await quantizeDecoder(parts, { scheme: scheme(name), known, onBlock: (block) => void blocks.push(block) });
  await module.close();
  await forward.close();
  return blocks;
}

const total = (blocks: readonly QuantizedBlock[]) =>
  blocks.flatMap(({ errors }) => Object.values(errors)).reduce((sum, error) => sum + error, 0);

test("gptq has less output error than plain rounding, int8 much less", async () => {
  const [rtn, gptq, eight] = await Promise.all(
    ["rtn-int4-g32", "gptq-int4-g32", "rtn-int8-row"].map((name) => quantized(name)),
  );
  assert.ok(total(gptq) < 0.8 * total(rtn), `${total(gptq)} against ${total(rtn)}`);
  assert.ok(total(eight) < 0.02 * total(rtn), `${total(eight)} against ${total(rtn)}`);
  for (const { matrices } of gptq) for (const { codes } of matrices.values()) assert.ok(Math.max(...codes) <= 15);
});

test("blocks that are done are taken as they are", async () => {
  const all = await quantized("gptq-int4-g32");
  const resumed = await quantized("gptq-int4-g32", all.slice(0, 2));
  assert.equal(resumed, all);
});

test("hqq's own error is never above plain rounding's", async () => {
  const module = await openBuild();
  const next = noise(9);
  const values = Float32Array.from({ length: 64 * 128 }, (_, i) => next() ** 3 + (i % 97 === 3 ? 2 * next() : 0));
  const error = (name: string) => {
    const rounded = valuesOf(module, roundMatrix(module, values, 64, 128, scheme(name)));
    return rounded.reduce((sum, value, i) => sum + Math.abs(value - values[i]) ** 0.7, 0);
  };
  assert.ok(error("hqq-int4-g64") < error("rtn-int4-g64"));
  await module.close();
});

test("packed records hold exactly what the codes stand for", async () => {
  const module = await openBuild();
  const repacker = await openRepacker(nodePlatform());
  const values = Float32Array.from({ length: 16 * 128 }, noise(4));
  for (const name of ["rtn-int4-g32", "rtn-int4-g64-sym", "hqq-int4-g128"]) {
    const codes = roundMatrix(module, values, 16, 128, scheme(name));
    assert.equal(repacker.unpack(packedInt4(module, repacker, codes)), valuesOf(module, codes));
  }
  await module.close();
});

test("mixed bits stay within their budget and prefer what hurts most", async () => {
  const floats = tinyFloats();
  const module = await openBuild("simd", 256);
  const forward = await tinyForward(floats);
  const states = await forward.embed(tinySamples(8));
  const parts = { module, config: tinyDecoder, floats, forward, states, classes: gathering(8).classes };
  const found = await sensitivities(parts, scheme("rtn-int4-g32"));
  assert.is(found.length, 28);
  assert.ok(found.every(({ error4, error8 }) => error4 > error8 && error8 > 0));
  const chosen = mixedBits(found, 5.5, scheme("rtn-int4-g32"));
  const weights = found.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const bits = found.reduce((sum, { name, rows, cols }) => {
    return sum + rows * cols * schemeBits({ ...scheme("rtn-int4-g32"), bits: chosen.get(name) ?? 4 }, cols);
  }, 0);
  assert.ok(bits / weights <= 5.5 && bits / weights > 5, `${bits / weights}`);
  const worst = [...found].sort((a, b) => b.error4 - a.error4)[0];
  assert.is(chosen.get(worst.name), 8);
  await refuses(() => mixedBits(found, 4.1, scheme("rtn-int4-g32")), /4-bit codes/);
  await module.close();
  await forward.close();
});

test("scheme names", async () => {
  assert.equal(scheme("awq-int4-g128"), { method: "awq", bits: 4, group: 128, symmetric: false });
  assert.equal(scheme("int8"), { method: "rtn", bits: 8, group: 0, symmetric: true });
  assert.is(parseScheme("--quant", "f16"), null);
  await refuses(() => parseScheme("--quant", "awq-int5"), /no quantization scheme/);
  await refuses(() => parseScheme("--quant", "int4-g48"), /groups of 48/);
});

test.run();
