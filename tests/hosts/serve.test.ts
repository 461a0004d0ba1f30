// The server for pages: files and ranges below its secret only, isolated, closed to other names and to paths that climb.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { httpSource } from "../../src/platform/sources.js";
import { withServer } from "../support/browser.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-serve-"));
writeFileSync(join(folder, "a.wasm"), "0123456789");
const options = { folders: { files: folder } };

/** Status of a raw request: fetch would tidy the path and the Host header. */
function status(url: string, path: string, host?: string): Promise<number> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { Host: host };
    request({ port, host: "127.0.0.1", path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

test("a file comes whole, in ranges, and isolated", async () => {
  await withServer(async ({ url }) => {
    const whole = await fetch(`${url}files/a.wasm`);
    assert.is(await whole.text(), "0123456789");
    assert.is(whole.headers.get("content-type"), "application/wasm");
    assert.is(whole.headers.get("cross-origin-opener-policy"), "same-origin");
    assert.is(whole.headers.get("cross-origin-embedder-policy"), "require-corp");
    const source = await httpSource(`${url}files/a.wasm`);
    assert.is(source.sizeBytes, 10);
    assert.is(Buffer.from(await source.read(3, 4)).toString(), "3456");
    assert.is((await fetch(`${url}files/a.wasm`, { headers: { Range: "bytes=10-12" } })).status, 416);
  }, options);
});

test("nothing else is served", async () => {
  await withServer(async ({ url }) => {
    const { pathname, host } = new URL(url);
    assert.is(await status(url, `${pathname}files/a.wasm`, host), 200);
    assert.is(await status(url, "/files/a.wasm"), 404, "without the secret");
    assert.is(await status(url, `${pathname}files/a.wasm`, "evil.example"), 404, "by a foreign name");
    for (const path of [
      "files/../a.wasm",
      "files/..%2f..%2fetc/passwd",
      "files/",
      "other/a.wasm",
      "__proto__/a.wasm",
    ]) {
      assert.is(await status(url, pathname + path), 404, path);
    }
  }, options);
});

test("without isolation it sends none of its headers", async () => {
  await withServer(
    async ({ url }) => {
      assert.is((await fetch(`${url}files/a.wasm`)).headers.get("cross-origin-opener-policy"), null);
    },
    { ...options, isolated: false },
  );
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
