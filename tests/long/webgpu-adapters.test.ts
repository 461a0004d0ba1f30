// The WebGPU backend in every part on every adapter that there is without a GPU: Dawn in Bun on SwiftShader, Dawn in Node on a
// newer lavapipe (f16 and subgroups together), wgpu in Deno on Debian's lavapipe, Chromium. Software compilers take minutes.

import { test } from "uvu";
import { judgedInBrowser } from "../conformance/in-browser.js";
import { checkVerdict, judgedBy } from "../conformance/verdict.js";
import { haveChromium, withChromium } from "../support/browser.js";
import { debianLavapipe, newLavapipe } from "../support/lavapipe.js";
import { runtimeEnvironment } from "../support/runtimes.js";
import { needWebgpu, WEBGPU_TEST_FLAGS } from "../support/webgpu.js";

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
    const verdict = await judgedInBrowser("", (url, told) =>
      withChromium(async (open) => {
        await open(url);
        return told;
      }, WEBGPU_TEST_FLAGS),
    );
    checkVerdict(verdict, /^software \(.*swiftshader/i, /first choice.*128 invocations, subgroups/);
  });
}

test.run();
