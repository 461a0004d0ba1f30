// Relaxed SIMD is used only where a fresh instance computes it right.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { relaxedFault } from "../../src/backends/wasm/support.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { nodePlatform } from "../../src/platform/node.js";

/** The probe in plain arithmetic, with a way to spoil it. */
function probe(memory: WebAssembly.Memory, spoil: { accumulator?: number; dot?: number; madd?: number } = {}) {
  return {
    relaxedProbe(at: number) {
      const view = new DataView(memory.buffer, at);
      const product = (i: number) => view.getInt8(i) * view.getInt8(16 + i);
      for (let i = 0; i < 8; i++) {
        view.setInt16(96 + 2 * i, product(2 * i) + product(2 * i + 1) + (spoil.dot ?? 0), true);
      }
      for (let i = 0; i < 4; i++) {
        const sum = product(4 * i) + product(4 * i + 1) + product(4 * i + 2) + product(4 * i + 3);
        const start = view.getInt32(32 + 4 * i, true) * (spoil.accumulator ?? 1);
        view.setInt32(112 + 4 * i, sum + start, true);
        const [a, b, c] = [48, 64, 80].map((from) => view.getFloat32(from + 4 * i, true));
        view.setFloat32(128 + 4 * i, a * b + c + (spoil.madd ?? 0), true);
      }
    },
  };
}

const memory = new WebAssembly.Memory({ initial: 1 });

test("right results pass", () => {
  assert.is(relaxedFault(probe(memory), memory, 256), null);
});

test("a dropped accumulator, as in Node 20's first calls, is refused", () => {
  assert.match(relaxedFault(probe(memory, { accumulator: 0 }), memory, 256) ?? "", "accumulating dot");
});

test("a wrong dot and a wrong multiply-add are refused", () => {
  assert.match(relaxedFault(probe(memory, { dot: 1 }), memory, 256) ?? "", "i16 dot");
  assert.match(relaxedFault(probe(memory, { madd: 1 }), memory, 256) ?? "", "multiply-add");
});

test("a target that cannot run says why and what to do", async () => {
  const platform = { ...nodePlatform() };
  delete (platform as { workers?: unknown }).workers;
  const threaded = (await wasmTargets(platform, 2)).filter((status) => status.target.threads === 2);
  assert.is(threaded.length, 2);
  for (const status of threaded) {
    assert.not(status.available);
    if (!status.available) assert.ok(status.reason.length > 0 && status.remedy.length > 0);
  }
});

test.run();
