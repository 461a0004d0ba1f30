// Fuzzing of the reader of GGUF projectors: a tower of one layer and the two-layer projector beside a small language model
// that does not lie.

import { readGguf } from "../../src/formats/gguf.js";
import { strictSource } from "./files.js";
import { type Fuzzer, readWhole } from "./fuzzer.js";
import { count, float, ggufBytes, goodFile, hurtGguf, int, list, pair, type TensorInfo, text } from "./gguf-file.js";
import { hurtBytes, type Random } from "./lies.js";

const KEYS: readonly (readonly [string, number])[] = [
  ["embedding_length", 32],
  ["attention.head_count", 2],
  ["feed_forward_length", 64],
  ["image_size", 8],
  ["patch_size", 4],
  ["block_count", 1],
];
const LAYER = ["attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"];
const shapeOf = (name: string) => (name === "ffn_up" ? [64, 32] : name === "ffn_down" ? [32, 64] : [32, 32]);

const TENSORS: readonly TensorInfo[] = [
  ["v.class_embd", [32], 0],
  ["v.patch_embd.weight", [32, 3, 4, 4], 1],
  ["v.position_embd.weight", [5, 32], 1],
  ["v.pre_ln.weight", [32], 0],
  ["v.pre_ln.bias", [32], 0],
  ...LAYER.map((name, i): TensorInfo => [`v.blk.0.${name}.weight`, shapeOf(name), [8, 2, 3, 1, 7, 30][i]]),
  ["mm.0.weight", [32, 32], 1],
  ["mm.0.bias", [32], 0],
  ["mm.2.weight", [32, 32], 1],
  ["mm.2.bias", [32], 0],
];
const PAIRS = [
  pair("general.architecture", 8, ...text("clip")),
  pair("clip.projector_type", 8, ...text("mlp")),
  pair("clip.use_gelu", 7, int(1, 0)),
  ...KEYS.map(([key, value]) => count(`clip.vision.${key}`, value)),
  pair("clip.vision.attention.layer_norm_epsilon", 6, float(1e-5)),
];
const layerList = (layers: readonly number[]) =>
  list(
    "clip.vision.feature_layer",
    5,
    layers.map((layer) => [int(4, layer)]),
  );

/** A projector file that does not lie, beside a tower of one layer; it says which layers the projector sees. */
export const projectorBytes = (layers: readonly number[]): Uint8Array =>
  ggufBytes(goodFile([...PAIRS, layerList(layers)], TENSORS));

const DECODER = [
  pair("general.architecture", 8, ...text("llama")),
  ...["context_length", "embedding_length", "block_count", "feed_forward_length"].map((key, i) =>
    count(`llama.${key}`, [64, 32, 1, 64][i]),
  ),
  count("llama.attention.head_count", 4),
  pair("llama.attention.layer_norm_rms_epsilon", 6, float(1e-5)),
];
const LANGUAGE = ggufBytes(goodFile(DECODER, [["token_embd.weight", [8, 32], 1]]));

export const mmprojFuzzer: Fuzzer = {
  make(random: Random) {
    const file = goodFile(random() < 0.3 ? [...PAIRS, layerList([1])] : PAIRS, TENSORS);
    return random() < 0.1 ? hurtBytes(ggufBytes(file), random, 3) : hurtGguf(file, random);
  },
  read: async (bytes, repacker) => {
    const eyes = strictSource("mmproj.gguf", bytes);
    await readWhole(await readGguf("fuzzed", strictSource("fuzzed.gguf", LANGUAGE), eyes), repacker);
  },
};
