// Links as a tree, other hosts on a pool, interleave sets with their granularity, curve families: accepted and refused.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import type { TensorSpec } from "../../src/core/op.js";
import { interleaveShares, placeTensors } from "../../src/placement/place.js";
import { loadTopology } from "../../src/placement/topology.js";

const local = { kind: "local", name: "dram", capacityBytes: 1e12 };
const figures = { readAdderNs: 100, writeAdderNs: 100, readGBps: 20, mixedGBps: 30, writeGBps: 20, queueNs: 50 };
const far = (name: string, path: string[] = [], more = {}) => ({
  ...{ kind: "far", name, path, capacityBytes: 1e12, ...figures },
  ...more,
});
const edge = (name: string) => ({ name, latencyNs: 10, bandwidthGBps: 50 });
const load = (fields: object) => {
  const text = JSON.stringify({ schemaVersion: 1, name: "mine", pools: [local, far("a"), far("b")], ...fields });
  return loadTopology({ packagePath: (path) => path, readText: async () => text }, "my.json");
};

async function refuses(fields: object, field: string, problem: RegExp): Promise<void> {
  try {
    await load(fields);
    assert.unreachable(`${field} was accepted`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.is(error.field, field);
    assert.match(error.problem, problem);
  }
}

test("links must form a tree", async () => {
  const edges = [edge("x"), edge("y")];
  await load({ edges, pools: [local, far("a", ["x", "y"]), far("b", ["x"])] });
  const cycle = [local, far("a", ["x", "y"]), far("b", ["y", "x"])];
  await refuses({ edges, pools: cycle }, "pools[2].path[0]", /y hangs on the host here and on x/);
  await refuses({ edges, pools: [local, far("a", ["x", "y"]), far("b", ["y"])] }, "pools[2].path[0]", /no tree/);
});

test("loads of other hosts name a pool and links on its way", async () => {
  const at = { edges: [edge("x"), edge("y")], pools: [local, far("a", ["x"]), far("b", ["y"])] };
  const other = { host: "h2", pool: "a", readGBps: 5, writeGBps: 1 };
  const { loads } = await load({ ...at, loads: [{ ...other, edges: ["x"] }] });
  assert.equal(loads, [{ ...other, edges: ["x"] }]);
  await refuses({ ...at, loads: [{ ...other, pool: "c" }] }, "loads[0].pool", /no pool c/);
  await refuses({ ...at, loads: [{ ...other, edges: ["y"] }] }, "loads[0].edges[0]", /y is not on the way/);
  await refuses({ ...at, loads: [{ ...other, readGBps: -1 }] }, "loads[0].readGBps", /0 or more/);
  await refuses({ ...at, loads: [{ ...other, readGBps: 1e9 }] }, "loads[0].readGBps", /1e9 bytes a second/);
});

test("an interleave set spreads large tensors evenly and small ones by whole granules", async () => {
  const set = { name: "pair", pools: ["a", "b"], granularityBytes: 4096 };
  const topology = await load({ interleaveSets: [set] });
  assert.equal(interleaveShares(topology, set, 4096), [0, 1, 0]);
  assert.equal(interleaveShares(topology, set, 12288), [0, 2 / 3, 1 / 3]);
  assert.equal(interleaveShares(topology, set, 1e9), [0, 0.5, 0.5]);
  const weight = { class: "weights", part: "decoder", layer: 0, format: "f32", cols: 1024 } as const;
  const specs: TensorSpec[] = [
    { ...weight, id: 0, name: "one", rows: 1 },
    { ...weight, id: 1, name: "three", rows: 3 },
  ];
  const { homes, homeOf } = placeTensors(topology, specs, ["weights=pair"]);
  assert.equal(homes[homeOf[0]], { shares: [0, 1, 0], interleaved: false });
  assert.equal(homes[homeOf[1]], { shares: [0, 2 / 3, 1 / 3], interleaved: true });
});

test("interleave sets are checked", async () => {
  const set = { name: "pair", pools: ["a", "b"], granularityBytes: 4096 };
  const sets = (fields: object) => ({ interleaveSets: [{ ...set, ...fields }] });
  await refuses(sets({ granularityBytes: 32 }), "interleaveSets[0].granularityBytes", /64/);
  await refuses(sets({ pools: ["a"] }), "interleaveSets[0].pools", /two pools/);
  await refuses(sets({ pools: ["a", "c"] }), "interleaveSets[0].pools[1]", /no pool c/);
  await refuses(sets({ pools: ["a", "a"] }), "interleaveSets[0].pools[1]", /twice/);
  await refuses(sets({ name: "a" }), "interleaveSets[0].name", /stands twice/);
});

test("curves of a family rise in their share of writes", async () => {
  const points = [
    [1, 0],
    [20, 90],
  ];
  const curve = { source: "measured", note: "x", points };
  const pools = (...shares: number[]) => ({
    pools: [local, far("a", [], { curve, mixCurves: shares.map((writeShare) => ({ ...curve, writeShare })) })],
  });
  const pool = (await load(pools(0.33, 0.5))).pools[1];
  assert.is(pool.kind === "far" && pool.mixCurves?.length, 2);
  await refuses(pools(0.5, 0.33), "pools[1].mixCurves", /must rise/);
  await refuses(pools(0), "pools[1].mixCurves[0].writeShare", /above 0/);
});

test("a figure in another unit than its name says is refused", async () => {
  const pool = (fields: object) => ({ pools: [local, far("a", [], fields)] });
  await refuses(pool({ readAdderNs: 1e9 }), "pools[1].readAdderNs", /the unit is ns/);
  await refuses(pool({ readGBps: "20 GB/s" }), "pools[1].readGBps", /./);
  await refuses(pool({ readGBps: Number.NaN }), "pools[1].readGBps", /./);
});

test.run();
