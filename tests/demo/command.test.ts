// `nibblemark demo` as users run it: it serves the page with its headers on loopback until it is ended, and tells bad ports.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

const cli = join(root, "scripts", "nibblemark.mjs");
const start = (...args: string[]) => spawn(process.execPath, [cli, "demo", ...args], { cwd: root });

/** Addresses of this machine that others can reach. */
const otherAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).flatMap(({ address, family, internal }) => (internal || family !== "IPv4" ? [] : [address])),
  );

async function failure(...args: string[]): Promise<string> {
  const child = start(...args);
  let words = "";
  child.stderr.on("data", (chunk) => {
    words += chunk;
  });
  const [code] = await once(child, "close");
  assert.is(code, 2, words);
  return words;
}

test("it serves the page, isolated and under a policy, until it is ended", async () => {
  const child = start("--port", "0");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = line.toString("utf8").trim();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await fetch(url);
    assert.match(await page.text(), /<title>Nibblemark<\/title>/);
    assert.is(page.headers.get("cross-origin-opener-policy"), "same-origin");
    assert.is(page.headers.get("cross-origin-embedder-policy"), "require-corp");
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.not.match(policy, /unsafe-inline|https?:|\*/);
    const { port } = new URL(url);
    for (const address of otherAddresses()) {
      const reached = await fetch(`http://${address}:${port}/`).then(
        () => true,
        () => false,
      );
      assert.not(reached, `${address} answers: it is not for this machine only`);
    }
    assert.is((await fetch(`${url}../package.json`)).status, 404);
    assert.is((await fetch(`${url}models/nibblemark-llava-2m/config.json`)).status, 200);
    assert.match(await failure("--port", port), /is in use.*--port/);
  } finally {
    child.kill("SIGTERM");
  }
  assert.equal(await once(child, "close"), [0, null]);
});

test("a port that is none is refused", async () => {
  assert.match(await failure("--port", "70000"), /--port.*is no port/);
});

test.run();
