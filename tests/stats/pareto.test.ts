// The front keeps what no other point beats, equal points included.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { paretoFront } from "../../src/stats/pareto.js";

test("points that another beats in everything are left out", () => {
  // Size, divergence, minus speed.
  const points = [
    [10, 0.1, -5],
    [10, 0.2, -5],
    [8, 0.3, -6],
    [9, 0.3, -6],
    [12, 0.1, -7],
    [10, 0.1, -5],
  ];
  assert.equal(paretoFront(points), [0, 2, 4, 5]);
  assert.equal(paretoFront([]), []);
  assert.equal(
    paretoFront([
      [1, Number.POSITIVE_INFINITY],
      [2, 0.5],
    ]),
    [0, 1],
  );
});

test.run();
