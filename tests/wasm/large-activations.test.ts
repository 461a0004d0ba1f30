// int8 activations beyond 8e6: their scales times 2^112 do not fit a float, and such products are computed in floats. Checked
// against float64, on every build that runs here.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../src/backends/wasm.js";
import type { StorageFormat, TensorSpec } from "../../src/core/op.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";

const [ROWS, COLS] = [24, 256];
const platform = nodePlatform();
const quantizer = await openQuantizer(platform);
const targets = (await wasmTargets(platform, 1)).filter(({ available }) => available);

const spec = (id: number, of: TensorSpec["class"], format: StorageFormat, rows: number, cols: number): TensorSpec => ({
  ...{ id, name: `t${id}`, class: of, part: "decoder", layer: -1, format, rows, cols },
});

async function errorAt(variant: WasmVariant, group: 32 | 128, tokens: number, size: number): Promise<number> {
  const random = uniform(7);
  const backend = await openWasm(platform, { variant, threads: 1 });
  await backend.allocate([
    spec(0, "weights", `int4-g${group}`, ROWS, COLS),
    spec(1, "activations", "f32", tokens, COLS),
    spec(2, "activations", "f32", tokens, ROWS),
  ]);
  const values = Float32Array.from({ length: ROWS * COLS }, () => random() - 0.5);
  const packed = quantizer.int4(values, ROWS, COLS, group);
  const weights = unpackInt4(packed);
  await backend.upload(0, packed);
  const x = Float32Array.from({ length: tokens * COLS }, () => (random() - 0.5) * 2 * size);
  backend.write(1, x);
  const { outputs } = await backend.submit([
    { kind: "matmul", x: 1, xRow: 0, weight: 0, bias: null, out: 2, rows: tokens, activations: "int8" },
    { kind: "output", x: 2, xRow: 0, rows: tokens, as: "values" },
  ]);
  await backend.close();
  let [off, all] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    for (let r = 0; r < ROWS; r++) {
      let sum = 0;
      for (let c = 0; c < COLS; c++) sum += (x[t * COLS + c] as number) * (weights[r * COLS + c] as number);
      off += ((outputs[0]?.[t * ROWS + r] as number) - sum) ** 2;
      all += sum ** 2;
    }
  }
  return Math.sqrt(off / all);
}

for (const { target } of targets) {
  test(`${target.variant}: activations of 1e6 to 1e30 give the product`, async () => {
    for (const group of [32, 128] as const) {
      for (const tokens of [1, 3, 9]) {
        for (const size of [1e6, 8e6, 9e6, 1e12, 1e30]) {
          const error = await errorAt(target.variant as WasmVariant, group, tokens, size);
          assert.ok(error < 2e-2, `g${group}, ${tokens} tokens, ${size}: relative error ${error}`);
        }
      }
    }
  });
}

test.run();
