// `npm run speed -- webgpu` stands beside onnxruntime-web's WebGPU provider in one process and on one adapter: on a software
// adapter both give the right products, and no time is told.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { fetchPeers } from "../../benchmarks/webgpu.js";
import { sideBySide, sideBySideLines } from "../../benchmarks/webgpu-ort.js";
import { nodePlatform } from "../../src/platform/node.js";
import { need } from "../support/need.js";
import { needWebgpu } from "../support/webgpu.js";

if (needWebgpu() && need(fetchPeers(), "onnxruntime-web", "Run with a network")) {
  test("both multiply alike on the same adapter, and no figure of a software adapter is printed", async () => {
    const works = [1, 8].map((tokens) => ({ kind: "matmul", rows: 96, cols: 64, group: 32, tokens }) as const);
    for (const result of await sideBySide(nodePlatform(), works, 1)) {
      assert.match(result.theirAdapter, /swiftshader/i);
      assert.is(Object.keys(result.arms).length, 4);
      for (const [name, { error, ns }] of Object.entries(result.arms)) {
        const isRounded = name.endsWith("int8") || name.endsWith("acc4");
        assert.ok(error < (isRounded ? 2e-2 : 1e-6), `${name}: ${error}`);
        assert.ok(ns.length === 1 && (ns[0] as number) > 0);
      }
      const untimed = sideBySideLines(result, false);
      assert.not.match(untimed.join("\n"), /\bms\b|GB\/s|times/);
      assert.match(sideBySideLines(result, true).join("\n"), /ms.*GB\/s.*times as fast as onnxruntime-web/s);
    }
  });
}

test.run();
