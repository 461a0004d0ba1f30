// How a model's maker wants keys and values of past positions kept: a key of our own in config.json or in GGUF's metadata, since no
// format has one. Other programs pass over it.

import type { Model } from "../core/model.js";

/** In config.json. */
export const KV_SETTING = "nibblemark_kv_cache";
/** Of provenance; a GGUF file has it as `nibblemark.kv_cache`. */
export const KV_PROVENANCE = "kv_cache";

/** Anything but the two known names says nothing. */
export function kvChoice(value: unknown): Pick<Model, "kv"> {
  return value === "int8" || value === "f32" ? { kv: value } : {};
}
