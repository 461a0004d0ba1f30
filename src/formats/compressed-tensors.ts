// compressed-tensors checkpoints in the form "pack-quantized" (vLLM, llm-compressor): codes [outputs, inputs / 8] low
// nibble first, each code + 8 (8 bits: [outputs, inputs / 4], + 128); zero points packed along the outputs. Layout: vllm-project/compressed-tensors.

import { wordsOf } from "./half.js";
import { storedBytes } from "./pack-bytes.js";
import {
  areHalves,
  basesOf,
  piece,
  readBytes,
  recordGroup,
  type Scheme,
  storedInt4,
  type TensorMap,
} from "./quant-scheme.js";

export const compressedTensors: Scheme = {
  name: "compressed-tensors",
  matches: (settings) => settings.text("quant_method", "") === "compressed-tensors",
  async collect({ settings, tensors }) {
    const form = settings.text("format", "pack-quantized");
    if (form !== "pack-quantized") {
      throw settings.fail("format", `"${form}" is not supported`, "Supported is: pack-quantized");
    }
    const groups = settings.object("config_groups").raw("group_0")
      ? settings.object("config_groups").object("group_0")
      : settings;
    const bits = groups.object("weights").count("num_bits", 4);
    if (bits !== 4 && bits !== 8) throw settings.fail("num_bits", `${bits} is not supported`, "Supported are: 4, 8");
    if (groups.object("weights").raw("actorder") === "group") {
      throw settings.fail("actorder", `"group" is not supported`, "Use a checkpoint without activation ordering");
    }
    const one = bits === 4 ? matrix : byteMatrix;
    const found = await Promise.all(basesOf(tensors, ".weight_packed").map((base) => one(tensors, base)));
    return { stored: found.map(({ stored }) => stored), used: new Set(found.flatMap(({ used }) => used)) };
  },
};

async function matrix(tensors: TensorMap, base: string) {
  const codes = piece(tensors, `${base}.weight_packed`, ["i32"], [null, null]);
  const [rows, words] = codes.shape as readonly [number, number];
  const cols = words * 8;
  const scales = piece(tensors, `${base}.weight_scale`, ["f16", "bf16", "f32"], [rows, null]);
  const count = scales.shape[1];
  const stored = cols / count;
  const group = recordGroup(codes.name, stored, cols);
  const shaped = tensors.get(`${base}.weight_shape`);
  const zeros = tensors.has(`${base}.weight_zero_point`)
    ? piece(tensors, `${base}.weight_zero_point`, ["i32"], [Math.ceil(rows / 8), count])
    : null;
  const parts = [codes, scales, ...(zeros ? [zeros] : [])];
  const shape = { rows, cols, group, offset: zeros ? "zeroU4" : "none8" } as const;
  const zeroPoints = zeros && (async () => zerosOf(wordsOf(await readBytes(zeros)), rows, count));
  const places = { rowStride: count, groupStride: 1, share: stored / group };
  const values = { scales, biases: null, zeros: zeroPoints, ...places, exact: areHalves(scales) };
  const about = { name: `${base}.weight`, rows, cols, label: `compressed-tensors g${stored}`, tensors: parts };
  const used = [...parts.map(({ name }) => name), ...(shaped ? [shaped.name] : [])];
  return { stored: storedInt4(about, shape, { tensor: codes, order: "rows", values }), used };
}

/** The same in 8 bits: a byte is a code + 128. */
async function byteMatrix(tensors: TensorMap, base: string) {
  const codes = piece(tensors, `${base}.weight_packed`, ["i32"], [null, null]);
  const [rows, words] = codes.shape as readonly [number, number];
  const cols = words * 4;
  const scales = piece(tensors, `${base}.weight_scale`, ["f16", "bf16", "f32"], [rows, null]);
  const count = scales.shape[1];
  const shaped = tensors.get(`${base}.weight_shape`);
  const zeros = tensors.has(`${base}.weight_zero_point`)
    ? piece(tensors, `${base}.weight_zero_point`, ["i32"], [Math.ceil(rows / 4), count])
    : null;
  const parts = [codes, scales, ...(zeros ? [zeros] : [])];
  const group = cols / count;
  // Words [ceil(rows / 4), groups], four outputs each.
  const zeroPoints = zeros && (async () => zeroBytesOf(await readBytes(zeros), rows, count));
  const stored = storedBytes({
    ...{ name: `${base}.weight`, rows, cols, group, label: `compressed-tensors 8 bit g${group}`, tensors: parts },
    ...{ scales, rowStride: count, groupStride: 1, codes: () => readBytes(codes), zeros: zeroPoints },
  });
  return { stored, used: [...parts.map(({ name }) => name), ...(shaped ? [shaped.name] : [])] };
}

function zeroBytesOf(bytes: Uint8Array, rows: number, groups: number): Uint8Array {
  const at = (row: number, g: number) => ((row >> 2) * groups + g) * 4 + (row & 3);
  return Uint8Array.from({ length: rows * groups }, (_, i) => bytes[at(Math.floor(i / groups), i % groups)]);
}

/** Words [ceil(rows / 8), groups], eight outputs each, as bytes [rows, groups]. */
function zerosOf(words: Uint32Array, rows: number, groups: number): Uint8Array {
  const zeros = new Uint8Array(rows * groups);
  for (let row = 0; row < rows; row++) {
    for (let g = 0; g < groups; g++)
      zeros[row * groups + g] = (words[(row >> 3) * groups + g] >>> (4 * (row & 7))) & 15;
  }
  return zeros;
}
