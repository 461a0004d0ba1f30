// A run that was stopped and resumed equals an uninterrupted one bit by bit, in either stage.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import { decodeCheckpoint } from "../../src/train/checkpoint.js";
import { runSingle } from "./tiny-run.js";

const whole = await runSingle();

for (const stopAfter of [3, 5, 8]) {
  test(`stopped after ${stopAfter} of 10 updates`, async () => {
    const first = await runSingle({ stopAfter });
    assert.is(first.isStopped, true);
    assert.is(first.records.length, stopAfter);
    const rest = await runSingle({ resume: Buffer.from(first.checkpoint) });
    assert.equal([...first.records, ...rest.records], whole.records);
    assert.equal(rest.checkpoint, whole.checkpoint);
  });
}

test("a truncated checkpoint is refused by name", () => {
  for (const length of [0, 11, 200, whole.checkpoint.length - 1]) {
    assert.throws(
      () => decodeCheckpoint(whole.checkpoint.subarray(0, length), "x/checkpoint.bin"),
      (error: Error) => error instanceof InputError && error.message.startsWith("x/checkpoint.bin"),
    );
  }
});

test.run();
