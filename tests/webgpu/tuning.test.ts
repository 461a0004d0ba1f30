// Variants of the kernels: the least time wins, each shape is tried once, and what was found can be handed in again.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { candidates, fastest } from "../../src/backends/webgpu/tune.js";
import { openWebgpu } from "../../src/backends/webgpu.js";
import { nodePlatform } from "../../src/platform/node.js";
import { referenceEntry } from "../conformance/backends.js";
import { differences } from "../conformance/compare.js";
import { SUITE } from "../conformance/suite.js";
import { needWebgpu } from "../support/webgpu.js";

test("the variant with the least time wins, whatever single rounds say", async () => {
  const choices = candidates(true, 256);
  assert.is(choices.length, 8);
  assert.is(candidates(false, 64).length, 2);
  let call = 0;
  // The second round of 128 with subgroups is the least of all.
  const timeNs = async (choice: (typeof choices)[number]) =>
    choice.size === 128 && choice.subgroups && call++ === 1 ? 5 : 10;
  assert.equal(await fastest(choices, 3, timeNs), { size: 128, subgroups: true });
});

if (needWebgpu()) {
  test("a shape is tried once, its results stay right, and the outcome can be handed in again", async () => {
    const cases = SUITE.filter(({ name }) => /^matmul int4-g32 \[24, 128\] x [12], int8/.test(name));
    assert.ok(cases.length === 2);
    const first = await openWebgpu(nodePlatform(), { tuneAlways: true });
    assert.equal(await differences(first, await referenceEntry.open(), cases), []);
    const [key, ...others] = Object.keys(first.tuning);
    assert.match(key ?? "", /int4-g32 none8 \[24, 128\] int8/);
    assert.equal(others, []);
    const tuning = { [key ?? ""]: { size: 32, subgroups: false } };
    const second = await openWebgpu(nodePlatform(), { tuneAlways: true, tuning });
    assert.equal(await differences(second, await referenceEntry.open(), cases), []);
    assert.equal(second.tuning, tuning);
  });
}

test.run();
