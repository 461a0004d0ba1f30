// Weights that a backend reads from their file into its own memory are, bit for bit, those that are repacked first and
// uploaded then: every form of file, in several pieces each, on every build of the backend; and a matrix that holds what is not
// finite is refused on both ways.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type LoadCase, loadCases } from "../../benchmarks/load-files.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import type { TensorSpec } from "../../src/core/op.js";
import type { Backend } from "../../src/core/ports.js";
import type { StoredMatrix } from "../../src/core/stored.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { wasmEntries } from "../conformance/backends.js";
import { refuses } from "../support/refuses.js";

const platform = nodePlatform();
const repacker = await openRepacker(platform);
const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
test.after(() => rmSync(folder, { recursive: true }));

/** AWQ and GPTQ pack eight outputs a word; the other forms may end in the middle of a block of rows. */
const WHOLE = { rows: 1032, cols: 2048 };
const RAGGED = { rows: 1029, cols: 2048 };

const spec = (id: number, name: string, rows: number, cols: number): TensorSpec => ({
  ...{ id, name, class: "activations", part: "decoder", layer: 0, format: "f32", rows, cols },
});

/** A backend with room for the matrix, and its product with random numbers: every weight moves it. */
async function withMatrix({ name, rows, cols, format, offset }: StoredMatrix, open: () => Promise<Backend>) {
  const backend = await open();
  const weight: TensorSpec = { ...spec(0, name, rows, cols), class: "weights", format, ...(offset ? { offset } : {}) };
  await backend.allocate([weight, spec(1, "x", 2, cols), spec(2, "out", 2, rows)]);
  const random = uniform(7);
  const x = Float32Array.from({ length: 2 * cols }, () => random() - 0.5);
  const product = async (): Promise<Float32Array> => {
    backend.write(1, x);
    const shared = { x: 1, xRow: 0, rows: 2 } as const;
    const { outputs } = await backend.submit([
      { kind: "matmul", weight: 0, bias: null, out: 2, activations: "f32", ...shared },
      { kind: "output", x: 2, xRow: 0, rows: 2, as: "values" },
    ]);
    return outputs[0] as Float32Array;
  };
  return { backend, product };
}

async function agree({ name, open }: LoadCase, openBackend: () => Promise<Backend>): Promise<void> {
  const { matrix, close } = await open();
  const [direct, uploaded] = [await withMatrix(matrix, openBackend), await withMatrix(matrix, openBackend)];
  try {
    assert.ok(matrix.raw, `${name} says where its weights lie`);
    await direct.backend.load?.(0, matrix);
    await uploaded.backend.upload(0, await matrix.read(repacker));
    const [got, want] = [await direct.product(), await uploaded.product()];
    assert.ok(want.every(Number.isFinite) && new Set(want).size > want.length / 2, `${name}: products of all rows`);
    assert.equal(got, want, name);
  } finally {
    await Promise.all([direct, uploaded].map(({ backend }) => backend.close()));
    await close();
  }
}

for (const { name: target, open } of await wasmEntries()) {
  test(`${target}: read in place as repacked and uploaded`, async () => {
    for (const shape of [WHOLE, RAGGED]) {
      const path = mkdtempSync(join(folder, "case-"));
      for (const one of await loadCases(platform, path, shape)) await agree(one, open);
    }
  });
}

test("a scale that is not finite is refused", async () => {
  const path = mkdtempSync(join(folder, "bad-"));
  const entry = (await wasmEntries())[0];
  for (const one of await loadCases(platform, path, { rows: 64, cols: 256 })) {
    const { matrix, path: file, close } = await one.open();
    const bytes = readFileSync(file);
    // Infinities and NaN all over the last tensor of the file, and over the matrix where it is in GGUF.
    const raw = matrix.raw;
    const gguf = one.name.startsWith("GGUF");
    const [from, to] =
      gguf && raw ? [raw.offset, raw.offset + raw.byteLength] : [bytes.length - 400, bytes.length - 64];
    for (let i = from; i < to; i++) bytes[i] = 0xff;
    writeFileSync(file, bytes);
    const { backend } = await withMatrix(matrix, entry.open);
    await refuses(async () => backend.load?.(0, matrix), /finite|NaN/);
    await refuses(() => matrix.read(repacker), /finite|NaN/);
    await backend.close();
    await close();
  }
});

test.run();
