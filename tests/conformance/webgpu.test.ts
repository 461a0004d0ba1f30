// The WebGPU backend computes the whole suite and the shipped model as the reference does, on Dawn in Node with SwiftShader.

import { test } from "uvu";
import { nodePlatform } from "../../src/platform/node.js";
import { needWebgpu } from "../support/webgpu.js";
import { checkVerdict } from "./verdict.js";
import { judge } from "./webgpu-parts.js";

if (needWebgpu()) {
  test("WebGPU in Node agrees with the reference", async () => {
    checkVerdict(await judge(nodePlatform()), /^software \(.*swiftshader/i, /128 invocations, subgroups/);
  });
}

test.run();
