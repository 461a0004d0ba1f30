// The scalar kernels without a JavaScript engine (wasm2c and gcc): a C host of 190 lines decodes stories260K to its
// published text, and says how much memory that takes.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { storiesFolder } from "../model/stories.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";
import { compileHost, PACKAGES } from "./native.js";

const TOKENS = 200;
const MIB = 2 ** 20;

test("the scalar kernels import nothing", async () => {
  const module = await WebAssembly.compile(readFileSync(join(root, "build", "kernels.scalar.wasm")));
  assert.equal(WebAssembly.Module.imports(module), []);
});

const folder = storiesFolder();
if (
  folder &&
  need(process.platform === "linux", "Linux", "wasm2c's runtime is tested there") &&
  ensureDebian(PACKAGES)
) {
  test(`${TOKENS} greedy tokens in C are the published text`, () => {
    const program = compileHost("stories", "kernels.scalar", "kernels");
    const files = [join(folder, "stories260K.bin"), join(folder, "tok512.bin")];
    const { status, stdout, stderr } = spawnSync(program, [...files, String(TOKENS)], { encoding: "utf8" });
    assert.is(status, 0, stderr);
    assert.is(stdout, readFileSync(join(folder, "greedy.txt"), "utf8").slice(0, 464));
    const [, linear, resident] = /linear memory (\d+) bytes, peak resident (\d+) KiB/.exec(stderr) ?? [];
    console.log(`linear memory ${linear} bytes, peak resident ${resident} KiB`);
    // 1.06 MB of weights, the cache of 200 positions and scratch.
    assert.ok(Number(linear) < 1.5 * MIB);
    assert.ok(Number(resident) < 6 * 1024);
  });
}

test.run();
