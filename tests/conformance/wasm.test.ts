// Every build of the WASM backend that runs here computes the whole suite as the reference does.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { referenceEntry, wasmEntries } from "./backends.js";
import { joinCases, relativeError, runCase } from "./case.js";
import { SUITE } from "./suite.js";

/** The case and place of each output of the joined suite. */
const owners = SUITE.flatMap((entry) => entry.ops.filter(({ kind }) => kind === "output").map(() => entry));
const joined = joinCases(SUITE);
const expected = await runCase(await referenceEntry.open(), joined);

test("every case compares something, and names are unique", () => {
  assert.is(new Set(owners.map(({ name }) => name)).size, SUITE.length);
  assert.is(expected.length, owners.length);
  assert.ok(expected.every((values) => values.length > 0 && values.every(Number.isFinite)));
});

for (const { name, open } of await wasmEntries()) {
  test(`${name} agrees with the reference in ${SUITE.length} cases`, async () => {
    const outputs = await runCase(await open(), joined);
    const wrong = owners
      .map(({ name, tolerance }, i) => ({ name, tolerance, error: relativeError(outputs[i], expected[i]) }))
      .filter(({ tolerance, error }) => !(error <= tolerance));
    assert.equal(wrong, []);
  });
}

test.run();
