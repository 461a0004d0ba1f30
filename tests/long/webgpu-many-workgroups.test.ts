// Products beyond the 65,535 workgroups of one dimension, on a real adapter's own limit: tiles of 32 x 32, and int4 blocks of 8
// rows by token. A software adapter takes a quarter of a ms a workgroup. (tests/webgpu/small-limits.test.ts adds that many rows
// on the real limit, and has products with a limit that is set lower.)

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu } from "../../src/backends/webgpu.js";
import { nodePlatform } from "../../src/platform/node.js";
import { referenceEntry } from "../conformance/backends.js";
import { differences } from "../conformance/compare.js";
import { manyRows } from "../conformance/many-rows.js";
import { needWebgpu } from "../support/webgpu.js";

if (needWebgpu()) {
  for (const entry of [manyRows("f32", 5, 32 * 65_540), manyRows("int4-g16", 4, 8 * 16_400)]) {
    test(entry.name, async () => {
      assert.equal(await differences(await openWebgpu(nodePlatform()), await referenceEntry.open(), [entry]), []);
    });
  }
}

test.run();
