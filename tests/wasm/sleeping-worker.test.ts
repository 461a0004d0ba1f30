// A worker that fell asleep between jobs takes part in the next one rightly, again and again.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWasm } from "../../src/backends/wasm.js";
import type { StorageFormat, TensorSpec } from "../../src/core/op.js";
import { nodePlatform } from "../../src/platform/node.js";

const [ROWS, COLS, ROUNDS] = [1024, 1024, 40];

const spec = (id: number, of: TensorSpec["class"], format: StorageFormat, rows: number, cols: number): TensorSpec => ({
  ...{ id, name: `t${id}`, class: of, part: "decoder", layer: -1, format, rows, cols },
});

test("every unit is computed when the worker wakes late", async () => {
  const backend = await openWasm(nodePlatform(), { variant: "simd", threads: 2 });
  await backend.allocate([
    spec(0, "weights", "f32", ROWS, COLS),
    spec(1, "activations", "f32", 1, COLS),
    spec(2, "activations", "f32", 1, ROWS),
  ]);
  const values = Float32Array.from({ length: ROWS * COLS }, (_, i) => ((i * 7) % 13) - 6);
  await backend.upload(0, { kind: "f32", rows: ROWS, cols: COLS, values });
  backend.write(
    1,
    Float32Array.from({ length: COLS }, (_, i) => (i % 5) - 2),
  );
  let first: Float32Array | Int32Array | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    backend.write(2, new Float32Array(ROWS).fill(Number.NaN));
    const { outputs } = await backend.submit([
      { kind: "matmul", x: 1, xRow: 0, weight: 0, bias: null, out: 2, rows: 1, activations: "f32" },
      { kind: "output", x: 2, xRow: 0, rows: 1, as: "values" },
    ]);
    first ??= outputs[0];
    assert.equal(outputs[0], first, `round ${round}`);
    assert.not(outputs[0].includes(Number.NaN));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await backend.close();
});

test.run();
