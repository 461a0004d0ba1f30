// The learning rate warms up linearly, then follows a cosine to zero.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { learningRate } from "../../src/train/schedule.js";

const schedule = { peakRate: 2, warmupSteps: 4, steps: 104 };

test("warm-up", () => {
  assert.equal(
    [0, 1, 2, 3].map((step) => learningRate(schedule, step)),
    [0.5, 1, 1.5, 2],
  );
});

test("cosine: the peak, half way, three quarters, the end", () => {
  const near = (step: number, expected: number): void =>
    assert.ok(Math.abs(learningRate(schedule, step) - expected) < 1e-12);
  near(4, 2);
  near(54, 1);
  near(79, 1 + Math.cos(0.75 * Math.PI));
  near(104, 0);
});

test.run();
