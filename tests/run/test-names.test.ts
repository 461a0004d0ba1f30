// Tests are named as llama-bench names them, and each does with a session what its name says.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import { parseTest } from "../../src/core/scenario.js";
import type { Session } from "../../src/run/parts.js";
import { cannotRun, inputTokens, roomFor, testBody, testsOf } from "../../src/run/tests.js";

test("names", () => {
  assert.equal(parseTest("vision"), { kind: "vision" });
  assert.equal(parseTest("pp512"), { kind: "prefill", tokens: 512, depth: 0 });
  assert.equal(parseTest("tg128@d512"), { kind: "decode", tokens: 128, depth: 512 });
  assert.equal(parseTest("ttft16"), { kind: "first", tokens: 16 });
  for (const bad of ["", "pp", "pp0", "tg-1", "tg1.5", "xx3", "pp3@5", "ttft3@d4"])
    assert.is(parseTest(bad), null, bad);
});

test("a bad name is bad input", () => {
  assert.throws(
    () => testsOf(["pp4", "speed"]),
    (error: unknown) => error instanceof InputError && /"speed"/.test(error.message),
  );
});

/** Writes down what a test asks of its session. */
async function script(name: string, image: boolean): Promise<string> {
  const log: string[] = [];
  const session: Session = {
    rewind: () => log.push("rewind"),
    see: async () => void log.push("see"),
    next: async (tokens) => log.push(`next ${tokens.length}`),
    score: async () => new Float32Array(0),
  };
  const [spec] = testsOf([name]);
  const picture = image ? { rows: 16, token: 4, pixels: new Float32Array(0) } : null;
  const body = testBody(spec as NonNullable<typeof spec>, { image: picture, vocab: 100 }, 1);
  await body.before(session);
  log.push("|");
  await body.iteration(session);
  return log.join(", ");
}

test("what is timed stands behind the bar", async () => {
  assert.is(await script("vision", true), "|, see");
  assert.is(await script("pp8", true), "rewind, |, next 8");
  assert.is(await script("tg3@d5", true), "rewind, next 5, |, next 1, next 1, next 1");
  assert.is(await script("ttft4", true), "rewind, |, see, next 21");
  assert.is(await script("ttft4", false), "rewind, |, next 5");
});

test("input tokens are the same everywhere and no special tokens", () => {
  assert.equal(inputTokens(4, 1024, 1), inputTokens(4, 1024, 1));
  assert.ok(inputTokens(1000, 1024, 7).every((token) => token >= 5 && token < 1024));
  assert.equal(inputTokens(2, 1, 1), [0, 0]);
});

test("room is made for the longest test", () => {
  assert.is(roomFor(testsOf(["vision", "pp64", "tg16@d100", "ttft32"])).positions, 116);
});

test("vision is unavailable without a tower, and says why", () => {
  assert.match(cannotRun({ kind: "vision" }, { image: null, synthetic: false }) ?? "", /text only/);
  assert.match(cannotRun({ kind: "vision" }, { image: null, synthetic: true }) ?? "", /synthetic/);
  assert.is(cannotRun({ kind: "prefill", tokens: 1, depth: 0 }, { image: null, synthetic: true }), null);
});

test.run();
