// The projected image features stand at the rows of the image tokens, row for row, and nowhere else.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Op } from "../../src/core/op.js";
import { openSession } from "../../src/model/session.js";
import { refuses } from "../support/refuses.js";
import { openTiny, TINY_PROMPT, tinyPixels } from "./tiny.js";

test("rows of x after the embedding are features at image tokens and the table elsewhere", async () => {
  const loaded = await openTiny();
  const { decoder, eyes } = loaded.graph;
  let placed: Float32Array = new Float32Array(0);
  let features: Float32Array = new Float32Array(0);
  const session = openSession(loaded, async ({ phase, ops }, submit) => {
    if (phase === "vision") return submit();
    const show = (x: number, rows: number): Op => ({ kind: "output", x, xRow: 0, rows, as: "values" });
    const first = ops.filter(({ kind }) => kind === "embed" || kind === "copy");
    const shown = await loaded.backend.submit([...first, show(decoder.x, 11), show(eyes?.projector.features ?? -1, 4)]);
    [placed, features] = shown.outputs as Float32Array[];
    return submit();
  });
  await session.see(tinyPixels(3));
  await session.logits(TINY_PROMPT);
  assert.equal(placed.slice(12, 60), features);
  const text = openSession(loaded, async ({ ops }, submit) => {
    assert.not.ok(ops.some(({ kind }) => kind === "copy"));
    return submit();
  });
  await text.logits(TINY_PROMPT.map((token) => (token === 4 ? 5 : token)));
});

test("another picture changes the answer, the same one does not", async () => {
  const session = openSession(await openTiny());
  const ask = async (seed: number) => {
    session.rewind();
    await session.see(tinyPixels(seed));
    return session.logits(TINY_PROMPT);
  };
  const first = await ask(1);
  assert.not.equal(await ask(2), first);
  assert.equal(await ask(1), first);
});

test("epochs are told apart by phase", async () => {
  const phases: string[] = [];
  const session = openSession(await openTiny({ maxRows: 6 }), (epoch, submit) => {
    phases.push(epoch.phase);
    return submit();
  });
  await session.see(tinyPixels(1));
  await session.next(TINY_PROMPT);
  await session.next([9]);
  assert.equal(phases, ["vision", "prefill", "prefill", "decode"]);
});

test("more image tokens than one image has are refused", async () => {
  const session = openSession(await openTiny());
  await refuses(() => session.logits([1, 4, 4, 4, 4, 4]), /<image>: it has more than the 4/);
});

test.run();
