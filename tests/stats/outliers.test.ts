// The modified z-score finds the one slow round and leaves ordinary spread alone.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { outliers } from "../../src/stats/outliers.js";

test("a sample far beyond the spread is found", () => {
  // median 10, MAD 1: the score of 100 is 90
  assert.equal(outliers([9, 10, 11, 9, 11, 10, 100]), [6]);
});

test("just under the threshold is not an outlier", () => {
  // median 10, MAD 1: 14 < 14.826 < 15
  assert.equal(outliers([9, 11, 9, 11, 10, 24]), []);
  assert.equal(outliers([9, 11, 9, 11, 10, 10, 25]), [6]);
});

test("equal samples have no outliers", () => {
  assert.equal(outliers([5, 5, 5, 9]), []);
});

test.run();
