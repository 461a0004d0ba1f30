// The five builds of the kernels: small, and free of imports beyond the memory.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { knowsInstructions } from "../../src/backends/wasm/support.js";
import { KIB } from "../../src/core/units.js";
import { nodePlatform } from "../../src/platform/node.js";

const BUILDS = ["scalar", "simd", "relaxed", "simd-threads", "relaxed-threads"];

for (const build of BUILDS) {
  test(`kernels.${build} is at most 64 KiB`, async () => {
    const { byteLength } = await nodePlatform().wasm(`kernels.${build}`);
    assert.ok(byteLength <= 64 * KIB, `${byteLength} bytes`);
  });
}

test("the scalar build imports nothing and has a memory of its own", async () => {
  const module = await WebAssembly.compile((await nodePlatform().wasm("kernels.scalar")) as BufferSource);
  assert.equal(WebAssembly.Module.imports(module), []);
  assert.ok(WebAssembly.Module.exports(module).some(({ name, kind }) => name === "memory" && kind === "memory"));
});

test("the other builds import one memory only", async () => {
  for (const build of BUILDS.slice(1)) {
    if (build.startsWith("relaxed") && !knowsInstructions("relaxed")) {
      console.log(`skipped: kernels.${build}: this engine does not know relaxed SIMD`);
      continue;
    }
    const module = await WebAssembly.compile((await nodePlatform().wasm(`kernels.${build}`)) as BufferSource);
    assert.equal(WebAssembly.Module.imports(module), [{ module: "env", name: "memory", kind: "memory" }], build);
  }
});

test.run();
