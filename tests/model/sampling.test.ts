// Sampling follows the shares of the nucleus, is repeatable by its seed, and refuses senseless settings.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { generateTokens } from "../../src/model/generate.js";
import { drawToken, type Sampling, uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { refuses } from "../support/refuses.js";
import { openTiny } from "./tiny.js";

/** Shares 0.1, 0.6, 0.3 */
const LOGITS = Float32Array.from([0.1, 0.6, 0.3], Math.log);

test("shares are drawn in order of size", () => {
  const draw = (random: number) => drawToken(LOGITS, 1, 1, random);
  assert.equal([0, 0.59, 0.61, 0.89, 0.91, 0.9999999].map(draw), [1, 1, 2, 2, 0, 0]);
});

test("the nucleus is the smallest set that reaches top-p", () => {
  assert.equal(
    [0, 0.5, 0.99].map((random) => drawToken(LOGITS, 1, 0.5, random)),
    [1, 1, 1],
  );
  assert.equal(
    [0, 0.6, 0.7, 0.99].map((random) => drawToken(LOGITS, 1, 0.8, random)),
    [1, 1, 2, 2],
  );
});

test("a low temperature sharpens and survives large logits", () => {
  assert.is(drawToken(LOGITS, 0.01, 1, 0.99), 1);
  assert.is(drawToken(Float32Array.of(5000, 4000), 0.1, 1, 0.5), 0);
});

test("frequencies match the shares", () => {
  const random = uniform(42);
  const counts = [0, 0, 0];
  for (let i = 0; i < 20000; i++) counts[drawToken(LOGITS, 1, 1, random())]++;
  [0.1, 0.6, 0.3].forEach((share, token) => {
    assert.ok(Math.abs(counts[token] / 20000 - share) < 0.015, `${counts}`);
  });
});

async function sample(sampling: Sampling): Promise<number[]> {
  const tokens: number[] = [];
  const options = { maxTokens: 12, sampling, eosId: -1 };
  for await (const token of generateTokens(openSession(await openTiny()), [1, 7], 24, options)) tokens.push(token);
  return tokens;
}

test("equal seeds give equal tokens, other seeds others, eos ends", async () => {
  const seeded = (seed: number) => sample({ kind: "topP", temperature: 1, topP: 0.95, seed });
  const first = await seeded(1);
  assert.is(first.length, 12);
  assert.equal(await seeded(1), first);
  assert.not.equal(await seeded(2), first);
  const greedy = await sample({ kind: "greedy" });
  assert.equal(await sample({ kind: "topP", temperature: 1e-6, topP: 1, seed: 3 }), greedy);
  const stopped: number[] = [];
  const options = { maxTokens: 12, sampling: { kind: "greedy" }, eosId: greedy[3] } as const;
  for await (const token of generateTokens(openSession(await openTiny()), [1, 7], 24, options)) stopped.push(token);
  assert.equal(stopped, greedy.slice(0, greedy.indexOf(greedy[3])));
});

test("senseless settings are refused", async () => {
  await refuses(() => sample({ kind: "topP", temperature: 0, topP: 1, seed: 1 }), /sampling: temperature 0/);
  await refuses(() => sample({ kind: "topP", temperature: 1, topP: 1.5, seed: 1 }), /topP 1\.5/);
});

test.run();
