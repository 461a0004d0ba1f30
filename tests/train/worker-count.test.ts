// The number of workers changes no bit: log and parameters of one worker and of two threads are equal.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { runPair, runSingle } from "./tiny-run.js";

test("two threads give the bits of one", async () => {
  const single = await runSingle();
  assert.is(single.records.length, 10);
  for (const run of await runPair()) {
    assert.equal(run.records, single.records);
    assert.equal(run.checkpoint, single.checkpoint);
  }
});

test.run();
