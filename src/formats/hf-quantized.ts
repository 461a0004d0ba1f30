// The ordered table of quantized forms of Hugging Face folders. config.json says which one a folder has; a form that is
// not in the table is refused by name.

import type { StoredMatrix } from "../core/stored.js";
import type { LazyTensor } from "../core/tensor.js";
import { autoawq } from "./autoawq.js";
import { bitsandbytes } from "./bitsandbytes.js";
import { compressedTensors } from "./compressed-tensors.js";
import { gptq } from "./gptq.js";
import { fieldsOf } from "./hf-fields.js";
import { mlx } from "./mlx.js";
import type { Scheme } from "./quant-scheme.js";

export const SCHEMES: readonly Scheme[] = [autoawq, gptq, compressedTensors, bitsandbytes, mlx];

/** Where config.json keeps a scheme's settings, in the order in which they win. */
const KEYS = ["quantization_config", "compression_config", "quantization"] as const;

export interface Split {
  readonly stored: ReadonlyMap<string, StoredMatrix>;
  /** What is no part of a quantized matrix. */
  readonly plain: readonly LazyTensor[];
}

/**
 * Matrices that a checkpoint holds quantized, and its other tensors.
 * @param file config.json, for messages
 * @throws InputError for an unknown form, or tensors that do not fit each other
 */
export async function splitQuantized(file: string, config: unknown, tensors: readonly LazyTensor[]): Promise<Split> {
  const root = fieldsOf(file, config);
  const text = root.object("text_config");
  const holder = [root, text].find((fields) => KEYS.some((key) => fields.has(key)));
  const key = KEYS.find((name) => holder?.has(name));
  if (!holder || !key) return { stored: new Map(), plain: tensors };
  const settings = holder.object(key);
  const scheme = SCHEMES.find(({ matches }) => matches(settings));
  if (!scheme) {
    const method = settings.raw("quant_method");
    const known = SCHEMES.map(({ name }) => name).join(", ");
    throw settings.fail(
      "quant_method",
      `${JSON.stringify(method ?? null)} is not supported`,
      `Supported are: ${known}`,
    );
  }
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const { stored, used } = await scheme.collect({ file, settings, tensors: byName });
  return {
    stored: new Map(stored.map((matrix) => [matrix.name, matrix])),
    plain: tensors.filter(({ name }) => !used.has(name)),
  };
}
