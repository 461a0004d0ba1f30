// The WebGPU backend computes the whole suite as the reference does in a page of headless Chromium, whose adapter is
// SwiftShader.

import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium, packageFolders, withChromium, withServer } from "../support/browser.js";
import type { PageVerdict } from "./in-page.js";

const HTML = `<!doctype html><meta charset="utf-8"><title>Conformance</title><link rel="icon" href="data:,">
<script type="module" src="build/tests/conformance/in-page.js"></script>`;

const LIMIT_MS = 240_000;

if (haveChromium()) {
  test("WebGPU in Chromium agrees with the reference in the whole suite", async () => {
    const options = {
      folders: packageFolders,
      handler: async (path: string, _request: IncomingMessage, response: ServerResponse) => {
        if (path !== "") return false;
        response.setHeader("Content-Type", "text/html; charset=utf-8");
        response.end(HTML);
        return true;
      },
    };
    const verdict = await withServer(
      (server) =>
        withChromium(
          async (open) => {
            const { page, faults } = await open(server.url);
            const element = await page.waitForSelector("#verdict", { timeout: LIMIT_MS });
            assert.equal(faults, []);
            return JSON.parse((await element.textContent()) ?? "") as PageVerdict;
          },
          ["--enable-unsafe-webgpu"],
        ),
      options,
    );
    console.log(`adapter: ${verdict.adapter}, ${verdict.cases} cases`);
    assert.is(verdict.error, null);
    assert.equal(verdict.wrong, []);
    assert.ok(verdict.cases > 400);
  });
}

test.run();
