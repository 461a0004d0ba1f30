// Summaries of samples small enough to work out by hand.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { medianInterval, summarize } from "../../src/stats/summary.js";

test("median, MAD and mean of five samples", () => {
  const summary = summarize([9, 1, 2, 4, 3]);
  assert.is(summary.median, 3);
  assert.is(summary.mad, 1); // deviations 6 2 1 1 0
  assert.is(summary.mean, 3.8);
  assert.is(summary.min, 1);
  assert.is(summary.max, 9);
  assert.is(summary.count, 5);
});

test("the median of an even number of samples lies between the middle two", () => {
  assert.is(summarize([4, 1, 2, 10]).median, 3);
});

test("one sample has no spread and no interval", () => {
  const summary = summarize([7]);
  assert.is(summary.deviation, 0);
  assert.is(summary.mad, 0);
  assert.is(summary.interval, null);
});

test("no samples is an error, not a zero", () => {
  assert.throws(() => summarize([]), /at least one sample/);
});

test("five samples are too few for a 95 % interval, six give the whole range", () => {
  // 2 * 0.5^5 = 0.0625 > 0.05; 2 * 0.5^6 = 0.03125 <= 0.05
  assert.is(medianInterval([1, 2, 3, 4, 5], 0.95), null);
  assert.equal(medianInterval([6, 1, 2, 3, 4, 5], 0.95), [1, 6]);
});

test("nine samples leave out one on each side", () => {
  // P(Binomial(9, 1/2) <= 1) = 10/512, doubled 0.039
  assert.equal(medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.95), [2, 8]);
});

test.run();
