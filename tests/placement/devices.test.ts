// Every shipped device loads, says where each figure comes from, and never answers faster for more load or more bytes.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadTopology, SHIPPED_DEVICES } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";

const platform = nodePlatform();
const local = { kind: "local", name: "dram", capacityBytes: 1e12 };

for (const device of SHIPPED_DEVICES) {
  test(device, async () => {
    const far = { kind: "far", name: "x", path: [], device };
    const text = JSON.stringify({ schemaVersion: 1, name: "t", pools: [local, far] });
    const readText = async (path: string) => (path === "t.json" ? text : platform.readText(path));
    const { pools, origins } = await loadTopology({ ...platform, readText }, "t.json");
    const pool = pools[1];
    if (pool.kind !== "far") throw new Error("the second pool is far");
    for (const field of ["readAdderNs", "writeAdderNs", "readGBps", "mixedGBps", "writeGBps", "queueNs"] as const) {
      assert.is(origins[`pools[1].${field}`].value, pool[field]);
      assert.ok(origins[`pools[1].${field}`].note.length > 3, field);
    }
    for (const { points } of pool.mixCurves ?? []) {
      for (const [i, point] of points.entries()) assert.ok(i === 0 || point.addedNs >= points[i - 1].addedNs);
    }
    assert.ok(device === "local-ddr5" ? pool.readAdderNs === 0 : pool.readAdderNs > 0);
  });
}

test.run();
