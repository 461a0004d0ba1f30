// However a prompt is cut into epochs, the logits after it are the same: one batch, chunks, or token by token, with the
// image's rows falling across the cuts.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openSession } from "../../src/model/session.js";
import { relativeError } from "../conformance/case.js";
import { openTiny, TINY_PROMPT, tinyPixels } from "./tiny.js";

/** Sums of a few rows in f32: only their order could differ. */
const SAME = 1e-6;

test("chunks and single tokens give the logits of one batch", async () => {
  const whole = openSession(await openTiny({ logitRows: 24 }));
  await whole.see(tinyPixels(1));
  const rows = await whole.score(TINY_PROMPT);
  assert.is(rows.length, TINY_PROMPT.length * 40);
  const last = rows.slice(-40);
  for (const maxRows of [1, 2, 3, 7]) {
    const session = openSession(await openTiny({ maxRows, logitRows: maxRows }));
    await session.see(tinyPixels(1));
    assert.ok(relativeError(await session.logits(TINY_PROMPT), last) < SAME);
    session.rewind();
    assert.ok(relativeError(await session.score(TINY_PROMPT), rows) < SAME);
    session.rewind();
    // One token at a time an image cannot be spelled out: its rows come in one call.
    await session.logits(TINY_PROMPT.slice(0, 5));
    for (const token of TINY_PROMPT.slice(5, -1)) await session.next([token]);
    assert.ok(relativeError(await session.logits(TINY_PROMPT.slice(-1)), last) < SAME);
    assert.is(session.position(), TINY_PROMPT.length);
  }
});

test("rewinding to a prefix forgets what came after it", async () => {
  const session = openSession(await openTiny());
  const direct = await session.logits([1, 10, 11, 12]);
  session.rewind(2);
  await session.logits([30, 31]);
  session.rewind(2);
  assert.equal(await session.logits([11, 12]), direct);
});

test.run();
