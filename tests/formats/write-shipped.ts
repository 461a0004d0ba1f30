// The shipped model as GGUF files, model.gguf and mmproj.gguf, in a folder.

import { join } from "node:path";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openRounder } from "../../src/backends/wasm/rounder.js";
import { decoderParts, type GgufQuant, projectorParts } from "../../src/formats/gguf-export.js";
import { vocabularyMetadata } from "../../src/formats/gguf-vocabulary.js";
import { type GgufOutput, writeGguf } from "../../src/formats/gguf-write.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { lossLog } from "../../src/formats/loss.js";
import { writeSource } from "../../src/formats/write-source.js";
import { nodePlatform } from "../../src/platform/node.js";

const platform = nodePlatform();
export const shipped = platform.packagePath("models/nibblemark-llava-2m");

/**
 * @param rename changes tensors of the projector file, as old writers did
 * @param featureLayer which of the tower's layers the projector sees
 * @returns the path of model.gguf
 */
export async function writeShipped(
  folder: string,
  type: GgufQuant,
  rename = (name: string) => name,
  featureLayer = -1,
): Promise<string> {
  const renamed = (tensor: GgufOutput): GgufOutput => ({ ...tensor, name: rename(tensor.name) });
  const model = await openModel(platform, shipped);
  try {
    const rounder = await openRounder(platform);
    const parts = { rounder, log: lossLog(rounder) };
    const openers = { repacker: await openRepacker(platform), quantizer: await openQuantizer(platform) };
    const source = writeSource(model, openers);
    const { config, tokenizer } = model;
    if (config.architecture !== "llava" || !tokenizer) throw new Error("the shipped model sees and reads");
    const data = tokenizer.vocabulary?.();
    if (!data) throw new Error("the shipped tokenizer can be written");
    const vocabulary = vocabularyMetadata("tokenizer.json", data, config.decoder.vocab);
    const text = decoderParts(source, type, vocabulary, parts);
    const vision = { ...config.vision, featureLayer };
    const eyes = projectorParts(source, { ...config, vision }, type, parts);
    await writeGguf(platform, join(folder, "model.gguf"), text.metadata, text.tensors);
    await writeGguf(platform, join(folder, "mmproj.gguf"), eyes.metadata, eyes.tensors.map(renamed));
    return join(folder, "model.gguf");
  } finally {
    await closeModel(model);
  }
}
