// The Node platform reads ranges, writes whole files or nothing, and names the path in every refusal.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UnavailableError } from "../../src/core/errors.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";

const platform = nodePlatform();
const folder = mkdtempSync(join(tmpdir(), "nibblemark-test-"));
const file = join(folder, "bytes.bin");
writeFileSync(file, Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7));

test("ranges of a file", async () => {
  const source = await platform.open(file);
  assert.is(source.sizeBytes, 8);
  assert.equal([...(await source.read(2, 3))], [2, 3, 4]);
  assert.equal([...(await source.read(8, 0))], []);
  for (const [offset, length] of [
    [6, 3],
    [-1, 2],
    [0, -1],
    [2 ** 53, 1],
  ]) {
    await refuses(() => source.read(offset, length), /bytes\.bin: bytes/);
  }
  await source.close();
});

test("paths that do not work are named", async () => {
  await refuses(() => platform.open("no/such.bin"), /no\/such\.bin: no such file/);
  await refuses(() => platform.open(folder), /is a folder/);
  await refuses(() => platform.readText(folder), /is a folder/);
  await refuses(() => platform.list(file), /bytes\.bin: is a file/);
  await refuses(() => platform.writeWhole(join(file, "x"), ""), /bytes\.bin/);
  assert.is(await platform.exists("no/such.bin"), false);
});

test("a file is written whole or not at all", async () => {
  const path = join(folder, "deep", "out.txt");
  await platform.writeWhole(path, "first");
  await platform.writeWhole(path, "second");
  assert.is(readFileSync(path, "utf8"), "second");
  assert.equal(readdirSync(join(folder, "deep")), ["out.txt"]);
  await refuses(() => platform.writeWhole(join(folder, "deep"), "over a folder"), /deep/);
  assert.equal(await platform.list(folder), ["bytes.bin", "deep"]);
});

test("clock, memory and package", async () => {
  const before = platform.clock.nowNs();
  assert.ok(platform.clock.nowNs() >= before);
  assert.ok((platform.peakMemoryBytes() ?? 0) > 1e7);
  assert.is(await platform.exists(platform.packagePath("package.json")), true);
  try {
    await platform.wasm("nothing");
    assert.unreachable();
  } catch (error) {
    assert.instance(error, UnavailableError);
    assert.match((error as Error).message, /build\/nothing\.wasm is unavailable.*build:wasm/);
  }
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
