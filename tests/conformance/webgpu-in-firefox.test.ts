// The WebGPU backend computes the whole suite and the shipped model as the reference does in a page of headless Firefox: another
// implementation (wgpu, whose compiler is Naga) on another software adapter, lavapipe, with f16.
// Firefox tells only that the adapter is a fallback.

import { test } from "uvu";
import { findFirefox, startFirefox } from "../../src/hosts/firefox.js";
import { ensureDebian } from "../support/debian.js";
import { debianLavapipe } from "../support/lavapipe.js";
import { judgedInBrowser } from "./in-browser.js";
import { checkVerdict } from "./verdict.js";

const driver = ensureDebian(["firefox-esr"]) ? debianLavapipe() : null;
if (driver) {
  // Firefox is started with this process's environment.
  Object.assign(process.env, driver);
  test("WebGPU in Firefox agrees with the reference", async () => {
    const verdict = await judgedInBrowser("first choice|f16$", async (url, told) => {
      const browser = startFirefox(findFirefox(), url);
      const ended = browser.ended.then((words): never => {
        throw new Error(`Firefox ended: ${words}`);
      });
      try {
        return await Promise.race([told, ended]);
      } finally {
        ended.catch(() => {});
        await browser.close();
      }
    });
    checkVerdict(verdict, /^software \(no name told\)/, /products in f16/);
  });
}

test.run();
