// Nothing that is held out can be trained on: the splits of digits and text do not meet.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { digitRange, isHeldOutText } from "../../scripts/model/splits.js";

test("15 % of the digits of a class are held out, at its end", () => {
  assert.equal(digitRange("train", 1000), { first: 0, last: 850 });
  assert.equal(digitRange("test", 1000), { first: 850, last: 1000 });
  for (const count of [863, 1127]) assert.is(digitRange("train", count).last, digitRange("test", count).first);
});

test("one chapter in twenty is held out", () => {
  const heldOut = Array.from({ length: 60 }, (_, i) => i).filter(isHeldOutText);
  assert.equal(heldOut, [10, 30, 50]);
});

test.run();
