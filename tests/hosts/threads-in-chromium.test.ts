// A pool of Web Workers on shared memory, in a page of headless Chromium: all threads meet in one job, and every product of the
// conformance suite is right.

import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium, packageFolders, withChromium, withServer } from "../support/browser.js";
import type { ThreadsVerdict } from "./threads-in-worker.js";

const HTML = `<!doctype html><meta charset="utf-8"><title>Threads</title><link rel="icon" href="data:,">
<script type="module" src="build/tests/hosts/threads-in-page.js"></script>`;

const LIMIT_MS = 240_000;

if (haveChromium()) {
  test("three threads of a page share the work of every product and op", async () => {
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
        withChromium(async (open) => {
          const { page, faults } = await open(server.url);
          const element = await page.waitForSelector("#verdict", { timeout: LIMIT_MS });
          assert.equal(faults, []);
          return JSON.parse((await element.textContent()) ?? "") as ThreadsVerdict;
        }),
      options,
    );
    assert.is(verdict.error, null);
    const found = verdict.variants.map(({ variant }) => variant);
    assert.equal(found, ["simd", "relaxed"]);
    for (const { variant, met, reason, wrong } of verdict.variants) {
      assert.is(met, 3, variant);
      assert.is(reason, null, variant);
      assert.equal(wrong, [], variant);
    }
  });
}

test.run();
