// The WebGPU backend computes the whole suite and the shipped model as the reference does in a page of headless Chromium,
// whose adapter is SwiftShader.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium, withChromium } from "../support/browser.js";
import { WEBGPU_TEST_FLAGS } from "../support/webgpu.js";
import { judgedInBrowser } from "./in-browser.js";
import { checkVerdict } from "./verdict.js";

if (haveChromium()) {
  test("WebGPU in Chromium agrees with the reference", async () => {
    const verdict = await judgedInBrowser("first choice", (url, told) =>
      withChromium(async (open) => {
        const { faults } = await open(url);
        const result = await told;
        // A model's optional files are asked for: those that are not there are told on the console too.
        assert.equal(
          faults.filter((text) => !/status of 404/.test(text)),
          [],
        );
        return result;
      }, WEBGPU_TEST_FLAGS),
    );
    checkVerdict(verdict, /^software \(.*swiftshader/i, /first choice/);
  });
}

test.run();
