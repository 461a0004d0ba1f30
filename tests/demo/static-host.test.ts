// `nibblemark demo --export FOLDER` behind a web server that knows nothing of Nibblemark, below a folder of its own: no isolation
// headers, no byte ranges. The page says that it has one thread, answers, and after one visit needs the server no more.

import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium, withChromium } from "../support/browser.js";
import { root } from "../support/root.js";
import { askDemo, ready, showSample } from "./page.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-static-"));
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** Whole files below /some/where/, as plain as a server can be. */
const plainServer = (): Server =>
  createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname.replace(/^\/some\/where\//, "");
    try {
      const content = readFileSync(join(folder, path === "" ? "index.html" : path));
      response
        .setHeader("Content-Type", TYPES[extname(path || "index.html")] ?? "application/octet-stream")
        .end(content);
    } catch {
      response.writeHead(404).end();
    }
  });

if (haveChromium()) {
  test("an exported page works from any web server, with one thread, and then without it, a newer version waiting", async () => {
    const args = [join(root, "scripts", "nibblemark.mjs"), "demo", "--export", folder];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    assert.is(status, 0, stderr);
    assert.match(stdout, /\d+ files in /);
    const server = plainServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where/`;
    try {
      await withChromium(async (open) => {
        const { page, faults } = await open(url);
        await ready(page);
        assert.match((await page.textContent("#notes")) ?? "", /runs without threads/);
        assert.match((await page.textContent("#status")) ?? "", /\/1t\.$/);
        await showSample(page, "digits.png");
        assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
        await page.locator("#device dd", { hasText: "kept for the next visit" }).waitFor();
        // The first visit came from the server; from now on the worker answers, and a newer one waits for it.
        await page.reload();
        await ready(page);
        appendFileSync(join(folder, "sw.js"), "// another version\n");
        await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
        await page
          .locator("#device dd", { hasText: "a newer version takes its place once all its tabs were closed" })
          .waitFor();
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
        await page.reload();
        await ready(page);
        await showSample(page, "digits.png");
        assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
        assert.equal(faults, []);
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}

test("a place that cannot take the page is refused in words, the package's own page among them, and nothing is written there", () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "mine");
  const site = join(root, "build", "site");
  const link = join(folder, "link");
  symlinkSync(site, link);
  const before = readFileSync(join(site, "index.html"));
  const places = [file, join(file, "below"), site, link, root, ...(process.platform === "linux" ? ["/proc/site"] : [])];
  for (const place of places) {
    const args = [join(root, "scripts", "nibblemark.mjs"), "demo", "--export", place];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
    assert.is(status, 2, `${place}: ${stderr}`);
    assert.is(stdout, "");
    assert.is(stderr.trim().split("\n").length, 1, stderr);
    assert.ok(stderr.startsWith("nibblemark: "), stderr);
  }
  assert.is(readFileSync(file, "utf8"), "mine");
  assert.ok(readFileSync(join(site, "index.html")).equals(before));
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
