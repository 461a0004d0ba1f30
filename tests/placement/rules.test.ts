// Placement rules as text: what each selects, where it puts it, and what is refused.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import { parseRule } from "../../src/placement/rules.js";

test("a class goes to a pool", () => {
  assert.equal(parseRule("weights=cxl0"), { select: { class: "weights" }, pools: { cxl0: 1 }, interleaved: false });
  assert.equal(parseRule(" kv = cxl0 ").select, { class: "kv" });
});

test("a part, a range of layers, and all of it together", () => {
  assert.equal(parseRule("vision=cxl0").select, { part: "vision" });
  assert.equal(parseRule("layers 4-7=cxl0").select, { layers: [4, 7] });
  assert.equal(parseRule("layer 3=cxl0").select, { layers: [3, 3] });
  assert.equal(parseRule("decoder.weights layers 4-7=cxl1").select, {
    part: "decoder",
    class: "weights",
    layers: [4, 7],
  });
});

test("interleave takes ratios, split takes shares", () => {
  const { pools, interleaved } = parseRule("weights=interleave(dram:3,cxl0:1)");
  assert.equal(pools, { dram: 0.75, cxl0: 0.25 });
  assert.is(interleaved, true);
  assert.equal(parseRule("kv=split(dram:0.5, cxl0:0.5)").pools, { dram: 0.5, cxl0: 0.5 });
});

test("what cannot be read is quoted with the problem", () => {
  const refused = {
    weights: /has no =/,
    "=cxl0": /selects nothing/,
    "wieghts=cxl0": /wieghts is no class/,
    "weights=": /nothing is no pool/,
    "layers 7-4=cxl0": /7-4 is no range/,
    "layers=cxl0": /nothing is no range/,
    "weights=interleave(dram)": /dram is no POOL:NUMBER/,
    "weights=interleave(dram:1,dram:2)": /dram stands twice/,
    "weights=interleave(dram:0)": /all weights are 0/,
    "weights=far(cxl0:1)": /is no pool/,
  };
  for (const [text, problem] of Object.entries(refused)) {
    assert.throws(
      () => parseRule(text),
      (error: unknown) => error instanceof InputError && error.field === text && problem.test(error.message),
      text,
    );
  }
});

test.run();
