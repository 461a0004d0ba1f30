// A LoRA adapter as PEFT writes it: adapter_config.json and adapter_model.safetensors. Only matrices of decoder blocks are taken.

import { linearsOf } from "../../compress/block.js";
import type { AdapterMatrix } from "../../compress/weights.js";
import type { DecoderConfig } from "../../core/config.js";
import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { readFloat32 } from "../../formats/convert.js";
import { readSafetensorsHeader } from "../../formats/safetensors.js";

const MATRIX = /(?:^|\.)layers\.(\d+)\.(.*_proj)\.lora_A(?:\.\w+)?\.weight$/;

/** @throws InputError for a folder that is no adapter, one of another shape than its config says, or of another model */
export async function readAdapter(
  platform: Platform,
  folder: string,
  decoder: DecoderConfig,
): Promise<AdapterMatrix[]> {
  const path = `${folder}/adapter_config.json`;
  const remedy = "Name a folder that PEFT wrote";
  const { r: rank, lora_alpha: alpha, use_rslora: stable } = parseConfig(path, await platform.readText(path));
  if (typeof rank !== "number" || typeof alpha !== "number") {
    throw new InputError(path, "r", "r and lora_alpha are no numbers", remedy);
  }
  const source = await platform.open(`${folder}/adapter_model.safetensors`);
  const tensors = new Map((await readSafetensorsHeader(source)).map((tensor) => [tensor.name, tensor]));
  const scale = alpha / (stable === true ? Math.sqrt(rank) : rank);
  const matrices = [...tensors.values()].flatMap((a): AdapterMatrix[] => {
    const found = MATRIX.exec(a.name);
    if (!found || a.name.includes("vision")) return [];
    const b = tensors.get(a.name.replace("lora_A", "lora_B"));
    if (b?.shape[1] !== a.shape[0]) {
      throw new InputError(source.name, a.name, "has no lora_B of the same rank", "Get the whole adapter");
    }
    const shape = { layer: Number(found[1]), rank: a.shape[0], inputs: a.shape[1], outputs: b.shape[0] };
    const linear = linearsOf(decoder, shape.layer).find(({ name }) => name.endsWith(`.${found[2]}.weight`));
    if (shape.layer >= decoder.layers || linear?.cols !== shape.inputs || linear.rows !== shape.outputs) {
      const problem = `adapts [${shape.outputs}, ${shape.inputs}], this model has no such matrix`;
      throw new InputError(source.name, a.name, problem, "Name an adapter of this model");
    }
    return [{ ...shape, scale, a: () => readFloat32(a), b: () => readFloat32(b) }];
  });
  if (matrices.length > 0) return matrices;
  throw new InputError(folder, "", "holds no adapted matrix of a decoder block", remedy);
}

function parseConfig(path: string, text: string): Record<"r" | "lora_alpha" | "use_rslora", unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw new InputError(path, "", "is no JSON", "Name a folder that PEFT wrote");
  }
}
