// The shipped model on a backend against the reference: logits of a picture with its question and of two tokens after it.
// Runs in Node and in pages.

import type { ActivationFormat, KvFormat } from "../../src/core/op.js";
import type { Backend, Platform } from "../../src/core/ports.js";
import type { QuantName } from "../../src/core/scenario.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { relativeError } from "./case.js";
import type { Difference } from "./compare.js";
import { plainQuantizer } from "./quantizer.js";

export interface ModelCase {
  readonly name: string;
  readonly quant: QuantName;
  readonly activations: ActivationFormat;
  readonly kv: KvFormat;
  readonly tolerance: number;
}

/** Eleven layers of f32 sums in another order. */
const FLOAT = 2e-5;
/** Codes of activations that fall on the other side of a tie; tests/model/backends-agree.test.ts says why. */
const ROUNDED = 2e-2;
const PROMPT = [1, ...new Array<number>(16).fill(4), 203, 77, 500, 12, 999, 203];

function modelCase(quant: QuantName, activations: ActivationFormat, kv: KvFormat, tolerance: number): ModelCase {
  return { name: `${quant}, ${activations} activations, ${kv} keys and values`, quant, activations, kv, tolerance };
}

export const MODEL_CASES: readonly ModelCase[] = [
  modelCase("f32", "f32", "f32", FLOAT),
  modelCase("int4-g32", "f32", "int8", ROUNDED),
  modelCase("int4-g32", "int8", "f32", ROUNDED),
];

async function logitsOf(platform: Platform, backend: Backend, { quant, activations, kv }: ModelCase) {
  const random = uniform(9);
  const pixels = Float32Array.from({ length: 3 * 64 * 64 }, () => random() * 2 - 1);
  const model = await openModel(platform, platform.packagePath("models/nibblemark-llava-2m"));
  try {
    const parts = { backend, quantizer: plainQuantizer, readFloat32 };
    const loaded = await loadModel(model, parts, { plan: planOf(quant, undefined, kv), activations, context: 64 });
    const session = openSession(loaded);
    await session.see(pixels);
    return [await session.logits(PROMPT), await session.logits([321]), await session.logits([654])];
  } finally {
    await backend.close();
    await closeModel(model);
  }
}

/** Rows of logits that differ by more than the tolerance; closes both backends. */
export async function modelDifferences(
  platform: Platform,
  backend: Backend,
  reference: Backend,
  entry: ModelCase,
): Promise<Difference[]> {
  const { name, tolerance } = entry;
  const expected = await logitsOf(platform, reference, entry);
  return (await logitsOf(platform, backend, entry))
    .map((row, i) => ({ name: `${name}, row ${i}`, tolerance, error: relativeError(row, expected[i]) }))
    .filter(({ error }) => !(error <= tolerance));
}
