// Fuzzing of the ONNX reader: one MatMulNBits node with its initializers inside or in a file beside, whose attributes, types,
// shapes, names or bytes then lie. Bytes of weights are seldom hurt: what they hold is no structure.

import { openOnnx } from "../../src/formats/onnx.js";
import { type Initializer, type MatMul, matMulFile } from "../formats/onnx-file.js";
import { packFiles, platformOf } from "./files.js";
import { type Fuzzer, readWhole } from "./fuzzer.js";
import { hurtEnd, hurtJson, pick, type Random } from "./lies.js";

const ROWS = 16;
const COLS = 64;
const CONFIG = { model_type: "llama", hidden_size: COLS, num_attention_heads: 2, vocab_size: ROWS };
const SIZES = [0, 1, 2, 15, 16, 17, 32, 63, 64, 128, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53];
const TYPES = [0, 1, 2, 3, 6, 7, 9, 10, 11, 16, 17, 22, 99];
const NAMES = ["", "B", "s", "z", "../B", "\u0000", "A", "model.norm.weight"];
const PLACES = ["w.data", "../w.data", "", "/etc/hostname", "nowhere", "m.onnx"];

function initializers(bits: number, random: Random): Initializer[] {
  const data = (count: number) => Uint8Array.from({ length: count }, () => random() * 256);
  const scales = data(ROWS * 4).map((byte) => byte & 0x3b);
  const list: Initializer[] = [
    { name: "B", type: 2, shape: [ROWS, 2, (32 * bits) / 8], data: data((ROWS * COLS * bits) / 8) },
    { name: "s", type: 10, shape: [ROWS, 2], data: scales },
  ];
  const zeros: Initializer = { name: "z", type: 2, shape: [ROWS * 2], data: data((ROWS * 2 * bits) / 8) };
  if (bits === 4) Object.assign(zeros, { shape: [ROWS] });
  return [...list, ...(random() < 0.6 ? [zeros] : [])];
}

function lyingInitializer(good: Initializer, random: Random): Initializer {
  const kind = Math.floor(random() * 6);
  if (kind === 0) return { ...good, name: pick(NAMES, random) };
  if (kind === 1) return { ...good, type: pick(TYPES, random) };
  if (kind === 2) return { ...good, external: [pick(PLACES, random), pick(SIZES, random)] };
  if (kind === 3) return { ...good, data: (good.data as Uint8Array).slice(0, pick([0, 1, 31, 64], random)) };
  const at = Math.floor(random() * good.shape.length);
  if (kind === 4) return { ...good, shape: good.shape.map((size, i) => (i === at ? pick(SIZES, random) : size)) };
  return { ...good, shape: [...good.shape, ...new Array(Math.floor(random() * 80)).fill(1)] };
}

function damaged(random: Random): Uint8Array {
  const bits = random() < 0.7 ? 4 : 8;
  let inputs = initializers(bits, random);
  if (random() < 0.5) inputs = inputs.map((good) => (random() < 0.4 ? lyingInitializer(good, random) : good));
  let node: MatMul = { rows: ROWS, cols: COLS, bits, block: 32, tokens: 1 };
  if (random() < 0.25) node = { ...node, [pick(["rows", "cols", "bits", "block"], random)]: pick(SIZES, random) };
  const file = matMulFile(node, random() < 0.1 ? pick(NAMES, random) : "/lm_head/MatMul_Q4", inputs);
  if (random() < 0.5) {
    // Everything up to the codes is structure.
    const at = Math.floor(random() * Math.min(file.length, 220));
    file[at] = random() < 0.5 ? file[at] + Math.floor(random() * 5) - 2 : random() * 256;
  }
  return packFiles({
    "config.json": hurtJson(CONFIG, random, 0.05),
    "w.data": new Uint8Array(600),
    "m.onnx": hurtEnd(file, random, 0.1),
  });
}

export const onnxFuzzer: Fuzzer = {
  make: damaged,
  read: async (bytes, repacker) => readWhole(await openOnnx(platformOf(bytes), "m/m.onnx"), repacker),
};
