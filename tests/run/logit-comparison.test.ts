// KL divergence, likelihood and agreement of small rows, worked out by hand.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openComparer } from "../../src/backends/wasm/compare.js";
import { nodePlatform } from "../../src/platform/node.js";

const comparer = await openComparer(nodePlatform());
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not near ${b}`);

/** Logits of a distribution. */
const logits = (...shares: number[]) => shares.map((share) => Math.log(share));

test("KL of two distributions of two outcomes", () => {
  const base = Float32Array.from(logits(0.5, 0.5));
  const model = Float32Array.from(logits(0.25, 0.75));
  const { kl, nll, same, right, rows } = comparer.compare(base, model, Int32Array.of(1));
  near(kl, 0.5 * Math.log(0.5 / 0.25) + 0.5 * Math.log(0.5 / 0.75)); // 0.1438
  near(nll, -Math.log(0.75));
  assert.is(rows, 1);
  assert.is(same, 0); // the base's tie goes to token 0
  assert.is(right, 1);
});

test("sums run over rows, and a shift of all logits changes nothing", () => {
  const base = Float32Array.from([...logits(0.9, 0.1), ...logits(0.2, 0.8)]);
  const model = base.map((value) => value + 7);
  const { kl, nll, same, right } = comparer.compare(base, model, Int32Array.of(0, 0));
  near(kl, 0);
  near(nll, -Math.log(0.9) - Math.log(0.2));
  assert.is(same, 2);
  assert.is(right, 1);
});

test("equal logits have a divergence of exactly 0", () => {
  const row = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 9);
  assert.is(comparer.compare(row, row, Int32Array.of(3)).kl, 0);
});

test("a logit that is not a number makes the sums not a number", () => {
  const base = Float32Array.of(1, 2);
  assert.ok(Number.isNaN(comparer.compare(base, Float32Array.of(Number.NaN, 2), Int32Array.of(0)).kl));
});

test("lengths that do not fit are refused", () => {
  assert.throws(() => comparer.compare(new Float32Array(4), new Float32Array(3), new Int32Array(2)), /equal rows/);
});

test.run();
