// The WebGPU backend computes every op and the shipped model as the reference does in a page of headless Chromium, whose
// adapter is SwiftShader. tests/long has the whole suite.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { judgedInChromium } from "./in-browser.js";
import { checkVerdict } from "./verdict.js";

if (haveChromium()) {
  test("WebGPU in Chromium agrees with the reference", async () => {
    const verdict = await judgedInChromium("in brief: first choice", (faults) =>
      // A model's optional files are asked for: those that are not there are told on the console too.
      assert.equal(
        faults.filter((text) => !/status of 404/.test(text)),
        [],
      ),
    );
    checkVerdict(verdict, /^software \(.*swiftshader/i, /first choice/);
  });
}

test.run();
