// Exporting parameters: the file's header names every tensor at its place, and parameters that do not
// fit the architecture are refused before anything is written.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tensorShapes } from "../../scripts/model/architecture.js";
import { exportModel, type Parameters } from "../../scripts/model/export.js";
import { InputError } from "../../src/core/errors.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-export-"));
const norm = "language_model.model.norm.weight";

function parameters(change: (name: string, shape: readonly number[]) => readonly number[] | undefined): Parameters {
  const entries = [...tensorShapes()].flatMap(([name, original]) => {
    const shape = change(name, original);
    if (!shape) return [];
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.5);
    return [[name, { shape, values }] as const];
  });
  return new Map(entries);
}

async function refused(given: Parameters, name: string): Promise<void> {
  const error = await exportModel(given, join(folder, "refused"), {}, "checkpoint").catch((reason) => reason);
  assert.instance(error, InputError);
  assert.is(error.field, name);
  assert.not.ok(existsSync(join(folder, "refused")));
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test("tensors lie one after another, in fp16, with the provenance", async () => {
  await exportModel(
    parameters((_, shape) => shape),
    folder,
    { seed: "7" },
    "checkpoint",
  );
  const bytes = readFileSync(join(folder, "model.safetensors"));
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerBytes).toString("utf8"));
  assert.equal(header.__metadata__, { format: "pt", seed: "7" });
  assert.is((8 + headerBytes) % 8, 0);
  let end = 0;
  for (const [name, shape] of [...tensorShapes()].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { dtype, shape: stored, data_offsets } = header[name];
    assert.is(dtype, "F16");
    assert.equal(stored, shape);
    assert.is(data_offsets[0], end, name);
    end = data_offsets[1];
  }
  assert.is(bytes.length, 8 + headerBytes + end);
  assert.is(bytes.readUInt16LE(8 + headerBytes), 0x3800);
});

test("the model has about 1.98 million parameters, all inner sizes multiples of 128", () => {
  const shapes = [...tensorShapes().values()];
  assert.is(
    shapes.reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0),
    1975552,
  );
  for (const [name, shape] of tensorShapes()) {
    if (/(proj|fc\d|linear_\d)\.weight$/.test(name)) assert.is(shape[1] % 128, 0, name);
  }
});

test("missing, misshapen and unknown tensors are refused by name", async () => {
  await refused(
    parameters((name, shape) => (name === norm ? undefined : shape)),
    norm,
  );
  await refused(
    parameters((name, shape) => (name === norm ? [64] : shape)),
    norm,
  );
  const extra = new Map([...parameters((_, shape) => shape), ["extra", { shape: [1], values: new Float32Array(1) }]]);
  await refused(extra, "extra");
});

test("values that fp16 cannot hold are refused", async () => {
  for (const bad of [Number.NaN, 1e6]) {
    const given = parameters((_, shape) => shape);
    given.get(norm)?.values.fill(bad);
    await refused(given, norm);
  }
});

test.run();
