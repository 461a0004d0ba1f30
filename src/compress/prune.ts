// Structural pruning: whole decoder blocks leave, the others are numbered anew. No arithmetic: tensors keep their bytes under
// other names, and everything that a config says layer by layer is shortened with them.

import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { WriteSource } from "../core/write.js";

const LAYER = /^model\.layers\.(\d+)\./;

/** The publisher's order of `derm-llava` for LLaVA-1.5-7B (takakib123/LLaVA_Prune): least important block first. */
export const PRESETS: Readonly<Record<string, { readonly layers: number; readonly order: readonly number[] }>> = {
  "derm-llava": { layers: 32, order: [23, 4, 18, 22, 21, 24, 17, 27, 20, 26, 19, 29, 28, 5] },
};

/** Blocks that stay, in order. Throws InputError when none would, or a block does not exist or is named twice. */
export function keptLayers(layers: number, removed: readonly number[]): number[] {
  const fail = (problem: string, remedy: string) => new InputError("nibblemark compress", "--prune", problem, remedy);
  const bad = removed.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= layers);
  if (bad !== undefined) throw fail(`there is no block ${bad}`, `The blocks are 0 to ${layers - 1}`);
  if (new Set(removed).size !== removed.length) throw fail("a block is named twice", "Name each block once");
  if (removed.length >= layers) {
    throw fail(`${removed.length} of ${layers} blocks would leave none`, `Remove at most ${layers - 1}`);
  }
  return Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !removed.includes(layer));
}

/** The config with fewer blocks; the vision tower is another model and stays. */
export function prunedConfig<Config extends ModelConfig>(config: Config, kept: readonly number[]): Config {
  return { ...config, decoder: { ...config.decoder, layers: kept.length } };
}

/** The model without blocks; nothing is read. */
export function prunedSource(source: WriteSource, removed: readonly number[]): WriteSource {
  const kept = keptLayers(source.config.decoder.layers, removed);
  const tensors = source.tensors.flatMap((tensor) => {
    const layer = LAYER.exec(tensor.name)?.[1];
    if (layer === undefined) return [tensor];
    const place = kept.indexOf(Number(layer));
    return place < 0 ? [] : [{ ...tensor, name: tensor.name.replace(LAYER, `model.layers.${place}.`) }];
  });
  return { ...source, config: prunedConfig(source.config, kept), tensors };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Names of text settings that hold one entry a layer are not listed anywhere: any list of exactly that length is one. */
const COUNTS = ["num_hidden_layers", "n_layer", "num_layers", "n_layers"];

/**
 * config.json of the pruned model: the number of blocks wherever it stands, every list with one entry a block, names of layers in lists
 * of modules, at the root (text models) or in text_config (LLaVA). A partial text_config gets the number explicitly.
 */
export function prunedSettings(settings: Json, layers: number, kept: readonly number[]): Json {
  const text = settings.text_config;
  if (isObject(text))
    return { ...settings, text_config: shortened({ num_hidden_layers: layers, ...text }, layers, kept) };
  return shortened(settings, layers, kept) as Json;
}

function shortened(value: unknown, layers: number, kept: readonly number[], key = ""): unknown {
  if (COUNTS.includes(key) && value === layers) return kept.length;
  if (key === "max_window_layers" && typeof value === "number") return kept.filter((layer) => layer < value).length;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === "string") && value.some((one) => NAMED.test(one))) {
      return value.flatMap((name) => renamed(name, kept));
    }
    return value.length === layers && layers > 1 && !OTHER_LISTS.test(key) ? kept.map((layer) => value[layer]) : value;
  }
  if (!isObject(value) || key === "vision_config" || key === "rope_scaling") return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      renamed(name, kept).map((own) => [own, shortened(inner, layers, kept, name)]),
    ),
  );
}

/** Lists that are of tokens, class names or channels, however long. */
const OTHER_LISTS = /_token_ids?$|^architectures$|_factor$|^image_/;

const NAMED = /(?:^|\.)layers\.(\d+)(?=\.|$)/;

/** A name that mentions a block, renumbered; none for a removed block. */
function renamed(name: string, kept: readonly number[]): string[] {
  const layer = NAMED.exec(name)?.[1];
  if (layer === undefined || name.includes("vision")) return [name];
  const place = kept.indexOf(Number(layer));
  return place < 0 ? [] : [name.replace(NAMED, (whole) => whole.replace(layer, String(place)))];
}
