// Seeded int8 weights: a seed gives the same bytes however the rows are cut, keeps unit variance, and never the code -128.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { nodePlatform } from "../../src/platform/node.js";

const quantizer = await openQuantizer(nodePlatform());
const [rows, cols] = [96, 588];

test("any cut into rows gives the same matrix", () => {
  const whole = quantizer.syntheticInt8(3, 0, rows, cols);
  const parts = [0, 40].map((first) => quantizer.syntheticInt8(3, first, first === 0 ? 40 : rows - 40, cols));
  assert.equal([...whole.codes], [...parts[0].codes, ...parts[1].codes]);
  assert.equal([...whole.scales], [...parts[0].scales, ...parts[1].scales]);
  assert.not.equal(quantizer.syntheticInt8(4, 0, rows, cols).codes, whole.codes);
});

test("outputs of unit-variance inputs keep unit variance", () => {
  const data = quantizer.syntheticInt8(7, 0, rows, cols);
  const variance = quantizer.unpack(data).reduce((sum, value) => sum + value * value, 0) / rows;
  assert.ok(Math.abs(variance - 1) < 0.05, `${variance}`);
  assert.is(Math.min(...data.codes), -127);
  assert.is(Math.max(...data.codes), 127);
});

test.run();
