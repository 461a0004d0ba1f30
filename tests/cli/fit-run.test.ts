// `bench --fit` refuses, before it starts, what does not fit and what means nothing beside it; the whole shape's tensors are those of
// LLaVA-1.5-7B.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { tensorBytes } from "../../src/core/op.js";
import { GIB, MIB } from "../../src/core/units.js";
import { wholeGraph } from "../../src/model/synthetic.js";
import { nibblemark } from "./nibblemark.js";

const fit = (...args: string[]) => nibblemark(["bench", "--shape", "llava-1.5-7b", "--fit", ...args]);

test("what does not fit is refused before any weight is made", async () => {
  const tooDeep = await fit("4GiB", "--layers", "32");
  assert.is(tooDeep.code, 2);
  assert.match(tooDeep.stderr, /--fit: 32 layers need 4\.\d+ GiB/);
  const tooSmall = await fit("100MiB");
  assert.is(tooSmall.code, 2);
  assert.match(tooSmall.stderr, /even one layer needs/);
  assert.is(tooDeep.stderr.includes("making weights"), false);
});

test("flags that mean nothing beside it are named", async () => {
  const found = await fit("4GiB", "--quant", "int8");
  assert.is(found.code, 2);
  assert.match(found.stderr, /--quant: has no meaning beside --fit/);
});

test("24 layers are the real model's sizes", () => {
  const { tensors } = wholeGraph({ layers: 24, context: 1040 });
  const bytes = (part: string, kind: string) =>
    tensors.filter((one) => one.part === part && one.class === kind).reduce((sum, one) => sum + tensorBytes(one), 0);
  // Layers of 202,375,168 weights at 4.125 bits and 8,192 norms, the last norm, in f32.
  assert.is(bytes("decoder", "weights"), (24 * 202_375_168 * 4.125) / 8 + (24 * 8192 + 4096) * 4);
  // Codes and an f32 scale a row.
  assert.is(bytes("embedding", "weights"), 2 * 32_064 * (4096 + 4));
  // 24 layers, 1040 positions, an f16 scale for each of 32 heads.
  assert.is(bytes("decoder", "kv"), 24 * 1040 * (8192 + 2 * 32 * 2));
  assert.ok(Math.abs(bytes("vision", "weights") - 279.3 * MIB) < 3 * MIB);
  const all = tensors.reduce((sum, spec) => sum + tensorBytes(spec), 0);
  assert.ok(all > 3 * GIB && all < 3.3 * GIB, `${all}`);
});

test.run();
