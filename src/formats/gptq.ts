// GPTQ checkpoints (quant_method "gptq"): codes [inputs / 8, outputs] packed along the inputs, zero points packed along the
// outputs; format 1 stores zero - 1; 8-bit ones have four codes a word. With act-order `g_idx` names the group of each input: inputs are then sorted by
// group, and the order is kept for the activations. Layout: AutoGPTQ qlinear_cuda_old.py; GPTQModel utils/model.py.

import { InputError } from "../core/errors.js";
import type { LazyTensor } from "../core/tensor.js";
import { wordsOf } from "./half.js";
import { bytesOfSteps, storedBytes } from "./pack-bytes.js";
import { zeroBytes } from "./pack-r8.js";
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

export const gptq: Scheme = {
  name: "GPTQ",
  matches: (settings) => settings.text("quant_method", "") === "gptq",
  async collect({ settings, tensors }) {
    const bits = settings.count("bits", 4);
    if (bits !== 4 && bits !== 8) throw settings.fail("bits", `${bits} is not supported`, "Supported are: 4, 8");
    const form = settings.text("checkpoint_format", "gptq");
    if (form !== "gptq" && form !== "gptq_v2") {
      throw settings.fail("checkpoint_format", `"${form}" is not supported`, "Supported are: gptq, gptq_v2");
    }
    const wanted = Number(settings.raw("group_size") ?? -1);
    const options = { wanted, zeroShift: form === "gptq" ? 1 : 0, sorted: settings.flag("desc_act", false) };
    const one = bits === 4 ? matrix : byteMatrix;
    const found = await Promise.all(basesOf(tensors, ".qweight").map((base) => one(tensors, base, options)));
    return { stored: found.map(({ stored }) => stored), used: new Set(found.flatMap(({ used }) => used)) };
  },
};

const STRAIGHT = [0, 1, 2, 3, 4, 5, 6, 7] as const;

interface Options {
  readonly wanted: number;
  readonly zeroShift: number;
  /** act-order: inputs may belong to any group. */
  readonly sorted: boolean;
}

async function matrix(tensors: TensorMap, base: string, { wanted, zeroShift, sorted }: Options) {
  const codes = piece(tensors, `${base}.qweight`, ["i32"], [null, null]);
  const [words, rows] = codes.shape as readonly [number, number];
  const cols = words * 8;
  const stored = wanted === -1 ? cols : wanted;
  const group = recordGroup(codes.name, stored, cols);
  const groups = cols / stored;
  const scales = piece(tensors, `${base}.scales`, ["f16", "bf16", "f32"], [groups, rows]);
  const zeros = piece(tensors, `${base}.qzeros`, ["i32"], [groups, Math.ceil(rows / 8)]);
  const index = tensors.has(`${base}.g_idx`) ? piece(tensors, `${base}.g_idx`, ["i32"], [cols]) : null;
  const shape = { rows, cols, group, offset: "zeroU4" } as const;
  const act = sorted && index !== null;
  // AutoGPTQ keeps four bits of zero + 1: a stored 15 stands for 0.
  const zeroPoints = async () => zeroBytes(wordsOf(await readBytes(zeros)), groups, rows, STRAIGHT, zeroShift);
  const places = { rowStride: 1, groupStride: rows, share: stored / group };
  const values = { scales, biases: null, zeros: zeroPoints, ...places, exact: areHalves(scales) };
  const check = async () => {
    if (index && (await orderOf(index, stored, groups)).some((column, i) => column !== i)) throw unordered(index);
  };
  const permutation = act && {
    order: () => orderOf(index, stored, groups),
    sort: (file: Uint32Array, order: Uint32Array) => sortedWords(file, rows, order),
  };
  const parts = [codes, scales, zeros, ...(index ? [index] : [])];
  const about = {
    name: `${base}.weight`,
    rows,
    cols,
    label: `GPTQ g${stored}${act ? " act-order" : ""}`,
    tensors: parts,
  };
  const form = { tensor: codes, order: "steps", values, ...(permutation ? { permutation } : { check }) } as const;
  return { stored: storedInt4(about, shape, form), used: parts.map(({ name }) => name) };
}

/** The same in 8 bits: four codes a word, four zero points a word. */
async function byteMatrix(tensors: TensorMap, base: string, { wanted, zeroShift, sorted }: Options) {
  const codes = piece(tensors, `${base}.qweight`, ["i32"], [null, null]);
  const [words, rows] = codes.shape as readonly [number, number];
  const cols = words * 4;
  const group = wanted === -1 ? cols : wanted;
  const groups = Math.ceil(cols / group);
  const across = Math.ceil(rows / 4);
  const scales = piece(tensors, `${base}.scales`, ["f16", "bf16", "f32"], [groups, rows]);
  const zeros = piece(tensors, `${base}.qzeros`, ["i32"], [groups, across]);
  const index = tensors.has(`${base}.g_idx`) ? piece(tensors, `${base}.g_idx`, ["i32"], [cols]) : null;
  const act = sorted && index !== null;
  const parts = [codes, scales, zeros, ...(index ? [index] : [])];
  const stored = storedBytes({
    ...{ name: `${base}.weight`, rows, cols, group, scales, rowStride: 1, groupStride: rows, tensors: parts },
    label: `GPTQ 8 bit g${group}${act ? " act-order" : ""}`,
    async codes() {
      const order = index ? await orderOf(index, group, groups) : null;
      if (order && !act && order.some((column, i) => column !== i)) throw unordered(index as LazyTensor);
      return bytesOfSteps(await readBytes(codes), rows, cols, act ? order : null);
    },
    async zeros() {
      const bytes = await readBytes(zeros);
      const at = (i: number) => Math.floor(i / rows) * across * 4 + (i % rows);
      return Uint8Array.from({ length: groups * rows }, (_, i) => bytes[at(i)] + zeroShift);
    },
    ...(act ? { order: async () => Float32Array.from(await orderOf(index, group, groups)) } : {}),
  });
  return { stored, used: parts.map(({ name }) => name) };
}

function unordered(index: LazyTensor): InputError {
  return new InputError(index.source.name, index.name, "is not in order, desc_act is false", "Get the file again");
}

/** Inputs sorted by group, each group full. Throws InputError otherwise. */
async function orderOf(index: LazyTensor, size: number, groups: number): Promise<Uint32Array> {
  const found = wordsOf(await readBytes(index));
  const filled = new Uint32Array(groups);
  const order = new Uint32Array(found.length);
  for (let input = 0; input < found.length; input++) {
    const group = found[input];
    if (group >= groups || filled[group] >= size) {
      const problem = `group ${group} of input ${input} does not exist or has more than ${size} inputs`;
      throw new InputError(index.source.name, index.name, problem, "Get the file again");
    }
    order[group * size + filled[group]++] = input;
  }
  return order;
}

/** Words [cols / 8, rows] with input `order[c]` in column c. */
function sortedWords(words: Uint32Array, rows: number, order: Uint32Array): Uint32Array {
  const sorted = new Uint32Array(words.length);
  for (let column = 0; column < order.length; column++) {
    const from = (order[column] >> 3) * rows;
    const shift = 4 * (order[column] & 7);
    const to = (column >> 3) * rows;
    const place = 4 * (column & 7);
    for (let row = 0; row < rows; row++) sorted[to + row] |= ((words[from + row] >>> shift) & 15) << place;
  }
  return sorted;
}
