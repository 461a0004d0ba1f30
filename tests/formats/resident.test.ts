// Weights in memory are at most 1.6 times the file, matrix by matrix, for every stored form of GGUF and for the widest groups of
// Hugging Face's forms, whose scales take f32 where f16 cannot hold them.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type TensorSpec, tensorBytes } from "../../src/core/op.js";
import { type StoredMatrix, settled } from "../../src/core/stored.js";
import { splitQuantized } from "../../src/formats/hf-quantized.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";
import { haveFixtures } from "./llama-cpp.js";
import { tensor } from "./quantized-tensors.js";

const MOST = 1.6;

function growthOf({ name, format, offset, rows, cols, byteLength }: StoredMatrix): number {
  const at = { id: 0, name, class: "weights", part: "decoder", layer: 0 } as const;
  const spec: TensorSpec = { ...at, format, rows, cols, ...(offset ? { offset } : {}) };
  return tensorBytes(spec) / byteLength;
}

test("every form of GGUF", async () => {
  if (!haveFixtures("models")) return;
  const folder = join(root, ".cache/gguf/models");
  const platform = nodePlatform();
  const most = new Map<string, number>();
  for (const file of readdirSync(folder)) {
    const model = await openModel(platform, join(folder, file));
    for (const matrix of model.stored?.values() ?? []) {
      most.set(matrix.label, Math.max(most.get(matrix.label) ?? 0, growthOf(matrix)));
    }
    await closeModel(model);
  }
  assert.ok(most.size >= 11, `${[...most.keys()]}`);
  for (const [label, growth] of most) assert.ok(growth <= MOST, `${label}: ${growth.toFixed(2)}`);
});

const [ROWS, COLS] = [64, 1024];
/** Zeros as codes; scales of a tenth, which f16 cannot hold, or of 1. */
const codes = (dtype: "i32" | "u32", shape: number[]) =>
  tensor("m.weight", dtype, shape, new Uint32Array((ROWS * COLS) / 8));
const floats = (name: string, shape: readonly number[], value: number) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(name, "f32", [...shape], new Float32Array(count).fill(value));
};

for (const scale of [0.1, 1]) {
  for (const group of [1024, 128, 32]) {
    test(`groups of ${group}, scales of ${scale}`, async () => {
      const groups = COLS / group;
      const mlx = [
        codes("u32", [ROWS, COLS / 8]),
        floats("m.scales", [ROWS, groups], scale),
        floats("m.biases", [ROWS, groups], scale),
      ];
      const awq = [
        { ...codes("i32", [COLS, ROWS / 8]), name: "m.qweight" },
        tensor("m.qzeros", "i32", [groups, ROWS / 8], new Uint32Array((groups * ROWS) / 8)),
        floats("m.scales", [groups, ROWS], scale),
      ];
      for (const [settings, tensors] of [
        [{ bits: 4, group_size: group }, mlx],
        [{ quant_method: "awq", bits: 4, group_size: group, version: "gemm" }, awq],
      ] as const) {
        const { stored } = await splitQuantized("config.json", { quantization_config: settings }, tensors);
        const [matrix] = (await settled(stored)).values();
        assert.is(matrix.format.startsWith("int4"), scale === 1);
        assert.ok(growthOf(matrix) <= MOST, `${matrix.label}: ${growthOf(matrix).toFixed(2)}`);
      }
    });
  }
}

test.run();
