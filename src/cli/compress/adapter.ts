// A LoRA adapter as PEFT writes it: adapter_config.json and adapter_model.safetensors. Only matrices of decoder blocks are taken.

import type { AdapterMatrix } from "../../compress/weights.js";
import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { readFloat32 } from "../../formats/convert.js";
import { readSafetensorsHeader } from "../../formats/safetensors.js";

const MATRIX = /(?:^|\.)layers\.(\d+)\.(.*_proj)\.lora_A(?:\.\w+)?\.weight$/;

/** @throws InputError for a folder that is no adapter, or one of another shape than its config says */
export async function readAdapter(platform: Platform, folder: string): Promise<AdapterMatrix[]> {
  const path = `${folder}/adapter_config.json`;
  const config = JSON.parse(await platform.readText(path)) as {
    r?: unknown;
    lora_alpha?: unknown;
    use_rslora?: unknown;
  };
  const [rank, alpha] = [config.r, config.lora_alpha];
  if (typeof rank !== "number" || typeof alpha !== "number") {
    throw new InputError(path, "r", "r and lora_alpha are no numbers", "Name a folder that PEFT wrote");
  }
  const source = await platform.open(`${folder}/adapter_model.safetensors`);
  const tensors = new Map((await readSafetensorsHeader(source)).map((tensor) => [tensor.name, tensor]));
  const scale = alpha / (config.use_rslora === true ? Math.sqrt(rank) : rank);
  return [...tensors.values()].flatMap((a): AdapterMatrix[] => {
    const found = MATRIX.exec(a.name);
    if (!found || a.name.includes("vision")) return [];
    const b = tensors.get(a.name.replace("lora_A", "lora_B"));
    if (b?.shape[1] !== a.shape[0]) {
      throw new InputError(source.name, a.name, "has no lora_B of the same rank", "Get the whole adapter");
    }
    const shape = { layer: Number(found[1]), rank: a.shape[0], inputs: a.shape[1], outputs: b.shape[0] };
    return [{ ...shape, scale, a: () => readFloat32(a), b: () => readFloat32(b) }];
  });
}
