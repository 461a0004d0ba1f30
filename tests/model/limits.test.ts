// A context that is too long, tokens outside the vocabulary and prompts that do not fit the model are refused.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { generateTokens } from "../../src/model/generate.js";
import { openSession } from "../../src/model/session.js";
import { refuses } from "../support/refuses.js";
import { openTiny, tinyPixels } from "./tiny.js";

test("a context beyond the model's is refused before anything is allocated", async () => {
  await refuses(() => openTiny({ context: 25 }), /context: 25 positions were asked for, the model has 1 to 24/);
  await refuses(() => openTiny({ context: 0 }), /context: 0/);
});

test("a prompt longer than the context is refused and changes nothing", async () => {
  const session = openSession(await openTiny({ context: 8 }));
  await session.next([1, 2, 3, 5, 6]);
  await refuses(() => session.next([1, 2, 3, 5]), /context: 9 positions are needed, the context has 8/);
  assert.is(session.position(), 5);
});

test("empty prompts and foreign tokens are refused", async () => {
  const session = openSession(await openTiny());
  await refuses(() => session.next([]), /prompt: it is empty/);
  for (const token of [40, -1, 1.5]) await refuses(() => session.next([token]), /prompt: token .* is outside/);
});

test("a picture of another size is refused", async () => {
  const session = openSession(await openTiny());
  await refuses(() => session.see(tinyPixels(1).slice(1)), /image: 191 values were given, 192 are needed/);
});

test("generation ends with the context", async () => {
  const session = openSession(await openTiny({ context: 8 }));
  const tokens: number[] = [];
  const options = { maxTokens: 100, sampling: { kind: "greedy" }, eosId: -1 } as const;
  for await (const token of generateTokens(session, [1, 7, 9], 8, options)) tokens.push(token);
  // The last of them is predicted from the last position and not appended.
  assert.is(tokens.length, 6);
});

test.run();
