// config.json and the small files of a model that is written as a Hugging Face folder: copied from the folder it comes
// from, or made from what a file of another format says.

import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Platform } from "../core/ports.js";
import { hfSettings, preprocessorSettings } from "./hf-settings.js";
import type { HfPlan } from "./hf-write.js";
import { tokenizerFiles } from "./tokenizer-json-write.js";

/** What belongs to a checkpoint besides weights and config; a licence stays with what it is for. */
const COPIED = [
  ...["tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json"],
  ...["vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json"],
  ...["preprocessor_config.json", "processor_config.json", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE"],
];
const MOST_BYTES = 64 * 1024 * 1024;

export type HfFiles = Pick<HfPlan, "settings" | "files">;

/** @throws InputError for a tokenizer or a setting that transformers has no form for */
export async function hfFilesOf(platform: Platform, model: Model): Promise<HfFiles> {
  const folder = model.origin;
  if (await platform.exists(`${folder}/config.json`)) return copied(platform, folder);
  const { config, tokenizer } = model;
  const bytes = (json: object) => new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`);
  const data = tokenizer?.vocabulary?.();
  const files = data ? tokenizerFiles(folder, data).map(({ name, json }) => ({ name, bytes: bytes(json) })) : [];
  const eyes =
    config.architecture === "llava"
      ? [{ name: "preprocessor_config.json", bytes: bytes(preprocessorSettings(config.vision)) }]
      : [];
  return { settings: hfSettings(folder, config, tokenizer), files: [...files, ...eyes] };
}

async function copied(platform: Platform, folder: string): Promise<HfFiles> {
  const settings = JSON.parse(await platform.readText(`${folder}/config.json`)) as Record<string, unknown>;
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (const name of COPIED) {
    if (!(await platform.exists(`${folder}/${name}`))) continue;
    const source = await platform.open(`${folder}/${name}`);
    try {
      if (source.sizeBytes > MOST_BYTES) {
        throw new InputError(
          source.name,
          "",
          `has ${source.sizeBytes} bytes, it is no tokenizer`,
          "Get the file again",
        );
      }
      files.push({ name, bytes: await source.read(0, source.sizeBytes) });
    } finally {
      await source.close();
    }
  }
  return { settings, files };
}
