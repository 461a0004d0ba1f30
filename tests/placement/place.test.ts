// Rules resolved against tensors and pools: homes, bytes, and pools that are too small.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import type { TensorSpec } from "../../src/core/op.js";
import { placeTensors, resolvePlacement } from "../../src/placement/place.js";
import { farPool, topology } from "../epoch/fixture.js";

const tensor = (id: number, fields: Partial<TensorSpec>): TensorSpec => ({
  id,
  name: `t${id}`,
  class: "weights",
  part: "decoder",
  layer: -1,
  format: "f32",
  rows: 10,
  cols: 25,
  ...fields,
});
const specs = [
  tensor(0, { layer: 0 }),
  tensor(1, { layer: 5 }),
  tensor(2, { class: "kv", layer: 5 }),
  tensor(3, { class: "input" }),
  tensor(4, { part: "vision" }),
];
const memory = topology([farPool("cxl0"), farPool("cxl1")]);
const shares = (...rules: string[]) => {
  const { homes, homeOf } = placeTensors(memory, specs, rules);
  return homeOf.map((home) => homes[home].shares);
};
const refuses = (action: () => unknown, problem: RegExp) =>
  assert.throws(action, (error: unknown) => error instanceof InputError && problem.test(error.message));

test("what no rule names is local", () => {
  assert.equal(shares("kv=cxl0"), [
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [1, 0, 0],
    [1, 0, 0],
  ]);
});

test("later rules win, and inputs count as activations", () => {
  assert.equal(shares("all=cxl0", "layers 4-7=cxl1", "activations=dram", "vision=dram"), [
    [0, 1, 0],
    [0, 0, 1],
    [0, 0, 1],
    [1, 0, 0],
    [1, 0, 0],
  ]);
});

test("placed bytes follow the shares", () => {
  const { placedBytes } = placeTensors(memory, specs, ["weights=interleave(dram:3,cxl0:1)"]);
  assert.equal(placedBytes, [3 * 750 + 2000, 3 * 250, 0]);
});

test("no rules means the topology's own placement, one pool means everything there", () => {
  const own = { ...memory, defaultPlacement: ["weights=cxl1"] };
  assert.equal(placeTensors(own, specs, []).rules, ["weights=cxl1"]);
  const local = placeTensors(topology([]), specs, ["weights=cxl0"]);
  assert.equal(local.rules, []);
  assert.equal(local.placedBytes, [5000]);
});

test("an unknown pool is refused with the names of those there are", () => {
  refuses(() => shares("weights=cxl9"), /no pool cxl9.*dram, cxl0, cxl1/);
});

test("shares that do not sum to one are refused", () => {
  refuses(() => shares("weights=split(dram:0.5,cxl0:0.4)"), /sum to 0\.9/);
  const rule = { select: {}, pools: { dram: 2, cxl0: -1 }, interleaved: true };
  refuses(() => resolvePlacement(memory, specs, [rule], ["given"]), /share of cxl0 is -1/);
});

test("a pool that is too small is refused with both numbers", () => {
  const small = topology([farPool("cxl0", { capacityBytes: 2999 })]);
  refuses(() => placeTensors(small, specs, ["weights=cxl0"]), /cxl0 holds 2999 bytes, but 3000 are placed/);
  placeTensors(small, specs, ["kv=cxl0"]);
});

test.run();
