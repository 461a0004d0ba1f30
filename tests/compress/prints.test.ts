// A file that is changed without becoming longer is another one: small ones are read whole, large ones by their time and pieces.

import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, utimesSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { filePrint } from "../../src/cli/compress/prints.js";
import { nodePlatform } from "../../src/platform/node.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-prints-"));
const platform = nodePlatform();

/** A file of zeros (a hole on the disk) with one other byte. */
function zeros(bytes: number, at: number): string {
  const path = join(folder, "file.bin");
  const file = openSync(path, "w");
  ftruncateSync(file, bytes);
  writeSync(file, Uint8Array.of(1), 0, 1, at);
  closeSync(file);
  utimesSync(path, 1000, 1000);
  return path;
}

test("every byte of a small file counts", async () => {
  const first = await filePrint(platform, zeros(5_000_001, 5_000_000));
  assert.is(await filePrint(platform, zeros(5_000_001, 5_000_000)), first);
  assert.is.not(await filePrint(platform, zeros(5_000_001, 4_999_999)), first);
});

test("of a large one its header, its pieces, and where asked its time", async () => {
  const size = 70 * 2 ** 20;
  const print = await filePrint(platform, zeros(size, 8), true);
  assert.is(await filePrint(platform, zeros(size, 8), true), print);
  assert.is.not(await filePrint(platform, zeros(size, 9), true), print);
  assert.is.not(await filePrint(platform, zeros(size, size - 1), true), print);
  const untimed = await filePrint(platform, zeros(size, 8));
  const path = zeros(size, 8);
  utimesSync(path, 1000, 2000);
  assert.is(await filePrint(platform, path), untimed);
  assert.is.not(await filePrint(platform, path, true), print);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
