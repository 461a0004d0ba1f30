// The WebGPU backend computes every op and the shipped model as the reference does in a page of headless Firefox: another
// implementation (wgpu, whose compiler is Naga) on another software adapter, lavapipe, with f16. tests/long has the whole suite.
// Firefox tells only that the adapter is a fallback.

import { test } from "uvu";
import { ensureDebian } from "../support/debian.js";
import { debianLavapipe } from "../support/lavapipe.js";
import { judgedInFirefox } from "./in-browser.js";
import { checkVerdict } from "./verdict.js";

const driver = ensureDebian(["firefox-esr"]) ? debianLavapipe() : null;
if (driver) {
  // Firefox is started with this process's environment.
  Object.assign(process.env, driver);
  test("WebGPU in Firefox agrees with the reference", async () => {
    const verdict = await judgedInFirefox("in brief: first choice|f16$");
    checkVerdict(verdict, /^software \(no name told\)/, /products in f16/);
  });
}

test.run();
