// The modelled cache is at most a tenth off the size that was measured, and half and one and a half of it stand beside it.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { cacheShape, shapeBytes } from "../../src/counters/emulated/shape.js";

const MIB = 2 ** 20;

test("32 MiB are 8 ways of 65536 sets, beside 16 and 48 MiB", () => {
  assert.equal(cacheShape(32 * MIB), { sets: 65536, ways: [4, 8, 12] });
  assert.equal(shapeBytes(cacheShape(32 * MIB)), [16 * MIB, 32 * MIB, 48 * MIB]);
});

test("every size is met within a tenth, with sets that are powers of two", () => {
  for (let bytes = MIB; bytes < 512 * MIB; bytes *= 1.01) {
    const { sets, ways } = cacheShape(bytes);
    const [low, nominal, high] = shapeBytes({ sets, ways }) as [number, number, number];
    assert.is(Math.log2(sets) % 1, 0);
    assert.ok(Math.abs(nominal / bytes - 1) <= 0.1, `${bytes} became ${nominal}`);
    assert.ok(low / nominal >= 0.42 && low / nominal <= 0.58 && high / nominal >= 1.42 && high / nominal <= 1.58);
    assert.ok(ways[2] <= 15);
  }
});

test.run();
