// A Hugging Face model folder: config.json, model.safetensors (or an index of shards), tokenizer.json,
// preprocessor_config.json. Opening reads headers only.

import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Platform } from "../core/ports.js";
import type { ByteSource, LazyTensor } from "../core/tensor.js";
import { readConfig } from "./hf-config.js";
import { splitQuantized } from "./hf-quantized.js";
import { parseSmall } from "./json-size.js";
import { KV_SETTING, kvChoice } from "./kv-choice.js";
import { pickleRefused } from "./pickle.js";
import { readSafetensorsHeader } from "./safetensors.js";
import { storedHalves } from "./stored-halves.js";
import { openTokenizerJson } from "./tokenizer-json.js";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Weights in Python's pickle: reading one runs what its writer wants. */
const PICKLES = ["pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"];

/** Prefixes of LLaVA files, newest first, and what they are here (core/model.ts). */
const PREFIXES: readonly (readonly [string, string])[] = [
  ["model.language_model.", "model."],
  ["model.vision_tower.", "vision_tower."],
  ["model.multi_modal_projector.", "multi_modal_projector."],
  ["language_model.", ""],
];

/** config.json and what belongs to it, without weights. */
export async function readHfSettings(platform: Platform, folder: string) {
  const configPath = `${folder}/config.json`;
  const raw = await readJson(platform, configPath);
  const preprocessor = await readPreprocessor(platform, folder);
  const config = readConfig(configPath, raw, preprocessor);
  const blind = config.architecture === "llava" && preprocessor === null;
  const tokenizer = await readTokenizer(platform, folder, raw as object, config);
  return { configPath, raw, config, tokenizer, ...(blind ? { notes: [UNSAID_PIXELS] } : {}) };
}

const UNSAID_PIXELS =
  "The folder has no preprocessor_config.json: pixels get CLIP's mean and deviation, which may not be this model's";

/** In its own file, or in the one that newer versions of transformers write for all parts; null: in neither. */
async function readPreprocessor(platform: Platform, folder: string): Promise<unknown> {
  const own = await readOptional(platform, `${folder}/preprocessor_config.json`);
  if (own !== null) return own;
  const all = (await readOptional(platform, `${folder}/processor_config.json`)) as { image_processor?: unknown } | null;
  return all?.image_processor ?? null;
}

/** Opens the folder. @param weights a single file to read instead of the usual names */
export async function openHfFolder(platform: Platform, folder: string, weights: string = SINGLE): Promise<Model> {
  const { configPath, raw, config, tokenizer, notes } = await readHfSettings(platform, folder);
  const tensors = await readTensors(platform, folder, weights);
  const sources = new Set(tensors.map(({ source }) => source));
  const { stored, plain } = await splitQuantized(configPath, raw, tensors).catch(async (error: unknown) => {
    await Promise.all([...sources].map((source) => source.close()));
    throw error;
  });
  return {
    name: folder.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, ""),
    origin: folder,
    config,
    tensors: new Map(plain.map((tensor) => [tensor.name, tensor])),
    stored: new Map([...stored, ...storedHalves(plain).map((matrix) => [matrix.name, matrix] as const)]),
    tokenizer,
    fileBytes: [...sources].reduce((sum, source) => sum + source.sizeBytes, 0),
    ...kvChoice((raw as Record<string, unknown>)[KV_SETTING]),
    ...(notes ? { notes } : {}),
  };
}

async function readJson(platform: Platform, path: string, vocabulary = false): Promise<unknown> {
  const text = await platform.readText(path);
  try {
    return vocabulary ? JSON.parse(text) : parseSmall(text, path, text.length);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(path, "", `is not JSON: ${(error as Error).message}`, "Get the file again");
  }
}

async function readOptional(platform: Platform, path: string): Promise<unknown> {
  return (await platform.exists(path)) ? readJson(platform, path) : null;
}

async function readTensors(platform: Platform, folder: string, weights: string): Promise<LazyTensor[]> {
  if (await platform.exists(`${folder}/${weights}`)) {
    return openAll([() => platform.open(`${folder}/${weights}`)]);
  }
  const path = `${folder}/${INDEX}`;
  if (!(await platform.exists(path))) {
    for (const pickle of PICKLES)
      if (await platform.exists(`${folder}/${pickle}`)) throw pickleRefused(`${folder}/${pickle}`);
    const remedy = "Give a folder with safetensors weights, or convert the checkpoint";
    throw new InputError(folder, "", `has neither ${SINGLE} nor ${INDEX}`, remedy);
  }
  const shards = await readIndex(platform, path);
  const tensors = await openAll([...new Set(shards.values())].map((name) => () => platform.open(`${folder}/${name}`)));
  const found = new Set(tensors.map(({ name }) => name));
  const absent = [...shards.keys()].find((name) => !found.has(canonicalName(name)));
  if (absent !== undefined) {
    await Promise.all([...new Set(tensors.map(({ source }) => source))].map((source) => source.close()));
    throw new InputError(path, absent, `is not in ${shards.get(absent)}`, "Get all shards of one checkpoint");
  }
  return tensors;
}

/** Opens files one after the other; when one of them is bad, closes all. */
async function openAll(openers: readonly (() => Promise<ByteSource>)[]): Promise<LazyTensor[]> {
  const opened: ByteSource[] = [];
  try {
    const tensors: LazyTensor[] = [];
    for (const open of openers) {
      opened.push(await open());
      tensors.push(...(await readSafetensorsHeader(opened[opened.length - 1])));
    }
    return canonical(tensors);
  } catch (error) {
    await Promise.all(opened.map((source) => source.close()));
    throw error;
  }
}

/** Tensor name to shard. A shard is a plain file name: an index must not reach outside its folder. */
async function readIndex(platform: Platform, path: string): Promise<ReadonlyMap<string, string>> {
  const index = (await readJson(platform, path)) as { weight_map?: unknown } | null;
  const map = index?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new InputError(path, "weight_map", "is missing or no object", "Get the file again");
  }
  const entries = Object.entries(map as Record<string, unknown>);
  const bad = entries.find(([, shard]) => typeof shard !== "string" || !/^[\w.-]+\.safetensors$/.test(shard));
  if (bad) throw new InputError(path, bad[0], `${JSON.stringify(bad[1])} is no shard's name`, "Get the file again");
  return new Map(entries as [string, string][]);
}

/** Tensors under canonical names, each of which stands once. */
function canonical(tensors: readonly LazyTensor[]): LazyTensor[] {
  const seen = new Set<string>();
  return tensors.map((tensor) => {
    const name = canonicalName(tensor.name);
    if (seen.has(name)) {
      const remedy = "Keep the files of one checkpoint only";
      throw new InputError(tensor.source.name, tensor.name, "stands twice in the checkpoint", remedy);
    }
    seen.add(name);
    return { ...tensor, name };
  });
}

/** `language_model.model.norm.weight` -> `model.norm.weight`, in all spellings that transformers has written. */
export function canonicalName(name: string): string {
  const prefix = PREFIXES.find(([from]) => name.startsWith(from));
  return prefix ? prefix[1] + name.slice(prefix[0].length) : name;
}

async function readTokenizer(platform: Platform, folder: string, config: object, { decoder }: ModelConfig) {
  const path = `${folder}/tokenizer.json`;
  if (!(await platform.exists(path))) return null;
  const settings = ((await readOptional(platform, `${folder}/tokenizer_config.json`)) ?? {}) as object;
  const ids = { bosId: specialId(config, "bos_token_id", 1), eosId: specialId(config, "eos_token_id", 2) };
  const jinja = `${folder}/chat_template.jinja`;
  const template = (await platform.exists(jinja)) ? await platform.readText(jinja) : null;
  const tokenizer = openTokenizerJson(path, await readJson(platform, path, true), settings, ids, template);
  if (tokenizer.vocabSize > decoder.vocab) {
    const problem = `has ${tokenizer.vocabSize} tokens, the model's embedding has ${decoder.vocab}`;
    throw new InputError(path, "", problem, "Use the tokenizer that belongs to this model");
  }
  return tokenizer;
}

/** At the root or in text_config; the first of a list. The default is LLaMA's. */
function specialId(config: object, name: string, otherwise: number): number {
  const root = config as Record<string, unknown>;
  const text = (root.text_config ?? {}) as Record<string, unknown>;
  const value = root[name] ?? text[name];
  const id = Array.isArray(value) ? value[0] : value;
  return Number.isInteger(id) ? (id as number) : otherwise;
}
