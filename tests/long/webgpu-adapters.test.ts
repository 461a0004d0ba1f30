// The WebGPU backend in every part on every adapter that there is without a GPU: Dawn in Bun on SwiftShader, Dawn in Node on a
// newer lavapipe (f16 and subgroups together), wgpu in Deno and Firefox on Debian's lavapipe, Chromium. Software compilers take minutes.

import { test } from "uvu";
import { judgedInChromium, judgedInFirefox } from "../conformance/in-browser.js";
import { checkVerdict, judgedBy } from "../conformance/verdict.js";
import { WHOLE } from "../conformance/webgpu-parts.js";
import { haveChromium } from "../support/browser.js";
import { ensureDebian } from "../support/debian.js";
import { debianLavapipe, newLavapipe } from "../support/lavapipe.js";
import { runtimeEnvironment } from "../support/runtimes.js";
import { needWebgpu } from "../support/webgpu.js";

const runtimes = runtimeEnvironment();
const own = debianLavapipe();
const newer = newLavapipe();

if (runtimes && own) {
  test("Deno, its own WebGPU, Debian's lavapipe", async () => {
    const verdict = await judgedBy([runtimes.DENO_PATH as string, "run", "-A"], { ...runtimes, ...own });
    checkVerdict(verdict, /^software \(.*llvmpipe/i, /first choice.*products in f16/);
  });
}

if (newer && needWebgpu()) {
  test("Node, Dawn, the newer lavapipe", async () => {
    const verdict = await judgedBy([process.execPath], { ...process.env, ...newer });
    checkVerdict(verdict, /^software \(.*llvmpipe/i, /first choice.*products in f16, 256 invocations, subgroups/);
  });
}

if (runtimes && needWebgpu()) {
  test("Bun, Dawn, SwiftShader", async () => {
    const verdict = await judgedBy([runtimes.BUN_PATH as string], { ...runtimes, ...process.env });
    checkVerdict(verdict, /^software \(.*swiftshader/i, /first choice.*128 invocations, subgroups/);
  });
}

if (haveChromium()) {
  test("Chromium in all its parts", async () => {
    const verdict = await judgedInChromium(WHOLE, () => {});
    checkVerdict(verdict, /^software \(.*swiftshader/i, /first choice.*128 invocations, subgroups/);
  });
}

if (own && ensureDebian(["firefox-esr"])) {
  test("Firefox, Debian's lavapipe", async () => {
    const before = { ...process.env };
    Object.assign(process.env, own);
    const verdict = await judgedInFirefox(WHOLE);
    process.env = before;
    checkVerdict(verdict, /^software \(no name told\)/, /first choice.*products in f16/);
  });
}

test.run();
