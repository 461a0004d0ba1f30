// Opens the tiny random LLaVA on a backend for tests of the runtime.

import { openReference } from "../../src/backends/reference.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import type { GraphOptions } from "../../src/model/graph.js";
import { type LoadedModel, loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { writeTinyLlava } from "../formats/tiny-llava.js";

/** The tower and decoder of tests/formats/tiny-llava.ts on the reference backend, in f32. */
export async function openTiny(options: Partial<GraphOptions> = {}): Promise<LoadedModel> {
  const platform = nodePlatform();
  const model = await openModel(platform, await writeTinyLlava());
  const parts = { backend: await openReference(platform), quantizer: plainQuantizer, readFloat32 };
  const all = { plan: planOf("f32"), activations: "f32", ...options } as const;
  return loadModel(model, parts, all).finally(() => closeModel(model));
}

/** Normalised planes [3 * 8, 8]. */
export function tinyPixels(seed: number): Float32Array {
  const random = uniform(seed);
  return Float32Array.from({ length: 192 }, () => random() * 2 - 1);
}

/** <s>, four image rows, then text. */
export const TINY_PROMPT = [1, 4, 4, 4, 4, 10, 21, 33, 7, 8, 15];
