// The ordered table of formats. A format is known by what is in it, never by the name of the file.

import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Platform } from "../core/ports.js";
import type { ByteSource } from "../core/tensor.js";
import { isGguf, openGguf } from "./gguf.js";
import { openHfFolder } from "./hf-folder.js";
import { isLlama2c, openLlama2c } from "./llama2c.js";
import { isOnnx, openOnnx } from "./onnx.js";
import { isPickle, pickleRefused } from "./pickle.js";
import { isSafetensors } from "./safetensors.js";

/** A file format: how it is known, and how a model in it is opened. */
export interface Format {
  readonly name: string;
  readonly matches: (source: ByteSource) => Promise<boolean>;
  readonly open: (platform: Platform, path: string) => Promise<Model>;
}

export const FORMATS: readonly Format[] = [
  { name: "GGUF", matches: isGguf, open: openGguf },
  { name: "safetensors", matches: isSafetensors, open: openBesideConfig },
  { name: "ONNX", matches: isOnnx, open: openOnnx },
  { name: "llama2.c v0", matches: isLlama2c, open: openLlama2c },
];

/** Opens a model: a Hugging Face folder or one file. Throws InputError for what no format recognises. */
export async function openModel(platform: Platform, named: string): Promise<Model> {
  // A folder's address may end in a slash, its files' have one only.
  const path = named.replace(/^(https?:.*[^/])\/+$/i, "$1");
  if (await platform.exists(`${path}/config.json`)) return openHfFolder(platform, path);
  const source = await platform.open(path).catch((error: unknown) => {
    if (error instanceof InputError && error.problem.startsWith("is a folder")) {
      return null;
    }
    throw error;
  });
  if (!source) return openGgufFolder(platform, path);
  try {
    if (await isPickle(source)) throw pickleRefused(path);
    for (const format of FORMATS) if (await format.matches(source)) return await format.open(platform, path);
  } finally {
    await source.close();
  }
  const known = FORMATS.map(({ name }) => name).join(", ");
  throw new InputError(path, "", "is in no known format", `Known are: a Hugging Face folder, ${known}`);
}

/** What `compress --format gguf` and `export` leave: model.gguf, and for a model that sees mmproj-model.gguf beside it. */
async function openGgufFolder(platform: Platform, path: string): Promise<Model> {
  const file = `${path}/model.gguf`;
  if (await platform.exists(file)) return openGguf(platform, file);
  const remedy = "Give a Hugging Face model folder or a file";
  throw new InputError(path, "", "is a folder without config.json and without model.gguf", remedy);
}

/** Closes the files behind a model. */
export async function closeModel(model: Model): Promise<void> {
  const held = [...(model.stored?.values() ?? [])].flatMap(({ sources }) => sources);
  const sources = new Set([...[...model.tensors.values()].map(({ source }) => source), ...held]);
  await Promise.all([...sources].map((source) => source.close()));
}

/** One safetensors file needs the config.json of its folder. */
function openBesideConfig(platform: Platform, path: string): Promise<Model> {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return openHfFolder(platform, at < 0 ? "." : path.slice(0, at), path.slice(at + 1));
}
