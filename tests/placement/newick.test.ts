// Newick text as CXLMemSim writes it: the shapes that its own parser gives, vectors, and faults by column.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import { newickShape, parseNewick } from "../../src/placement/newick.js";
import { loadTopology } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";

const SHAPES: [text: string, switches: number, endpoints: number, rootEndpoints: number, rootSwitches: number][] = [
  ["(1,(2,3))", 2, 3, 1, 1],
  ["(1,(2,3));", 2, 3, 1, 1],
  ["((1),(2),(3))", 4, 3, 0, 3],
  ["(1)", 1, 1, 1, 0],
  ["(1,(2,(3)))", 3, 3, 1, 1],
  ["(CPU:0,(CXL:100));", 2, 1, 0, 1],
  [" ( 1 , ( 2:5 , R:1:2 ) ) ; ", 2, 3, 1, 1],
];

for (const [text, switches, endpoints, rootEndpoints, rootSwitches] of SHAPES) {
  test(text, () => {
    assert.equal(newickShape(parseNewick("x", text).root), { switches, endpoints, rootEndpoints, rootSwitches });
  });
}

test("a tree is called by its text, a file by its name", async () => {
  const inline = await loadTopology(nodePlatform(), "(1, (2,3)); capacity 8,20,20,20");
  assert.is(inline.name, "(1,(2,3))");
  const readText = async () => "(1,2);";
  const file = await loadTopology({ ...nodePlatform(), readText }, "racks/lab.nwk");
  assert.is(file.name, "lab");
});

test("vectors give each endpoint its figures, switches become shared links", async () => {
  const text =
    "(1,(2,3)); latency 200,250 300,350 410,460 bandwidth 50,40 30,30 20,20 capacity 8,20,30,40 dram 110 switch 80,59.3";
  const { pools, edges, defaultPlacement } = await loadTopology(nodePlatform(), text);
  assert.equal(
    pools.map((pool) => [pool.name, pool.capacityBytes / 1e9, pool.kind === "far" ? pool.readAdderNs : 0]),
    [
      ["dram", 8, 0],
      ["cxl1", 20, 90],
      ["cxl2", 30, 190],
      ["cxl3", 40, 300],
    ],
  );
  const [, one, two] = pools;
  assert.equal(one.kind === "far" && [one.writeAdderNs, one.readGBps, one.writeGBps, one.path], [140, 50, 40, []]);
  assert.equal(two.kind === "far" && two.path, ["switch1"]);
  assert.equal(edges, [{ name: "switch1", latencyNs: 80, bandwidthGBps: 59.3 }]);
  assert.equal(defaultPlacement, ["weights=interleave(cxl1:1,cxl2:1,cxl3:1)"]);
});

test("without vectors CXLMemSim's defaults hold and its switches cost nothing", async () => {
  const { pools, edges } = await loadTopology(nodePlatform(), "((1,2));");
  const pool = pools[1];
  assert.equal(pool.kind === "far" && [pool.readAdderNs, pool.writeAdderNs, pool.readGBps], [90, 140, 50]);
  assert.equal(edges, [{ name: "switch1", latencyNs: 0, bandwidthGBps: 100 }]);
});

const FAULTS: [text: string, field: string, problem: RegExp][] = [
  ["", "column 1", /opens with \(/],
  ["()", "column 2", /missing/],
  ["(1,(2,3)", "column 9", /ends before/],
  ["(1 2)", "column 4", /2 is unexpected/],
  ["(CPU)", "column 6", /no endpoint/],
  ["(1,1)", "cxl1", /stands twice/],
  ["(0)", "endpoint 0", /from 1 on/],
  ["(1,2); latency 200,250", "latency[2]", /no read and write/],
  ["(1); latency 200,-5", "latency[1]", /no figure/],
  ["(1); bandwidth 0,0", "bandwidth[0]", /above 0/],
  ["(1); capacity 8", "capacity[1]", /no capacity/],
  ["(1); speed 8", "speed", /no vector/],
  [`${"(".repeat(40)}1${")".repeat(40)}`, "column 34", /32 switches deep/],
];

test("faults name the column or the number", async () => {
  for (const [text, field, problem] of FAULTS) {
    try {
      const files = { packagePath: (path: string) => path, readText: async () => text };
      await loadTopology(files, "tree.nwk");
      assert.unreachable(`${text} was accepted`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      assert.is(error.field, field, text);
      assert.match(error.problem, problem, text);
    }
  }
});

test.run();
