// Writes packed int4 matrices as AutoAWQ's GEMM layout (src/formats/autoawq.ts reads it): codes [inputs, outputs / 8], zero
// points alike, f16 scales, and the `quantization_config` that belongs to them.

import { InputError } from "../core/errors.js";
import type { Group, PackedInt4 } from "../core/packed.js";
import { recordBytes } from "../core/packed.js";
import { AWQ_NIBBLE } from "./autoawq.js";
import type { OutputTensor } from "./safetensors-write.js";

/** What other loaders of AutoAWQ files have kernels for. */
const GROUPS: readonly Group[] = [128, 64, 32];

/** The `quantization_config` of config.json. @param kept modules that stay in half precision */
export function awqSettings(group: Group, kept: readonly string[]) {
  return {
    ...{ quant_method: "awq", bits: 4, group_size: group, zero_point: true, version: "gemm" },
    modules_to_not_convert: kept.length > 0 ? kept : null,
  };
}

/**
 * Checks sizes before anything is quantized: every row must be whole groups, the outputs whole words.
 * @throws InputError that proposes a group which fits all matrices
 */
export function checkAwqSizes(matrices: readonly { name: string; rows: number; cols: number }[], group: Group): void {
  const fits = (size: number) => matrices.every(({ cols }) => cols % size === 0);
  const odd = matrices.find(({ rows }) => rows % 8 !== 0);
  if (odd) throw new InputError(odd.name, "rows", `${odd.rows} is no multiple of 8`, "Keep this matrix in f16");
  const other = GROUPS.find(fits);
  const remedy = other ? `Use groups of ${other}, which fit every matrix` : "Keep this matrix in f16";
  if (!GROUPS.includes(group)) {
    throw new InputError("AutoAWQ", "group_size", `${group} is no group that its loaders know`, remedy);
  }
  const bad = matrices.find(({ cols }) => cols % group !== 0);
  if (!bad) return;
  throw new InputError(bad.name, "group_size", `${bad.cols} columns are no multiple of ${group}`, remedy);
}

/**
 * `BASE.qweight`, `.qzeros` and `.scales` of one matrix, exactly the packed values.
 * @param name canonical name that ends in `.weight`
 * @throws InputError for offsets that are no zero points
 */
export function awqTensors(name: string, packed: PackedInt4): OutputTensor[] {
  const { rows, cols, group, offset } = packed;
  if (offset === "bias") {
    const problem = "has an offset that is no zero point, AutoAWQ cannot hold it";
    throw new InputError(name, "offset", problem, "Write another format or quantize with zero points");
  }
  checkAwqSizes([{ name, rows, cols }], group);
  const base = name.replace(/\.weight$/, "");
  const groups = cols / group;
  return [
    { name: `${base}.qweight`, dtype: "i32", shape: [cols, rows / 8], bytes: () => bytesOf(codeWords(packed)) },
    { name: `${base}.qzeros`, dtype: "i32", shape: [groups, rows / 8], bytes: () => bytesOf(zeroWords(packed)) },
    { name: `${base}.scales`, dtype: "f16", shape: [groups, rows], bytes: () => bytesOf(scaleBits(packed)) },
  ];
}

const bytesOf = (values: Uint32Array | Uint16Array) => new Uint8Array(values.buffer);

function codeWords({ rows, cols, group, offset, codes }: PackedInt4): Uint32Array {
  const words = new Uint32Array((rows / 8) * cols);
  const size = recordBytes(group, offset);
  const groups = cols / group;
  for (let block = 0; block < rows / 8; block++) {
    for (let k = 0; k < cols; k++) {
      const inGroup = k % group;
      const at = (block * groups + Math.floor(k / group)) * size + (inGroup >> 3) * 32 + (k & 3);
      const shift = k & 4;
      let word = 0;
      for (let lane = 0; lane < 8; lane++) word |= ((codes[at + lane * 4] >> shift) & 15) << (4 * AWQ_NIBBLE[lane]);
      words[k * (rows / 8) + block] = word;
    }
  }
  return words;
}

function zeroWords({ rows, cols, group, offset, codes }: PackedInt4): Uint32Array {
  const groups = cols / group;
  // Symmetric codes have their zero at 8.
  if (offset === "none8") return new Uint32Array((rows / 8) * groups).fill(0x88888888);
  const words = new Uint32Array((rows / 8) * groups);
  const size = recordBytes(group, offset);
  for (let block = 0; block < rows / 8; block++) {
    for (let g = 0; g < groups; g++) {
      const at = (block * groups + g) * size + group * 4 + 16;
      let word = 0;
      for (let lane = 0; lane < 8; lane++) word |= codes[at + lane] << (4 * AWQ_NIBBLE[lane]);
      words[g * (rows / 8) + block] = word;
    }
  }
  return words;
}

function scaleBits({ rows, cols, group, offset, codes }: PackedInt4): Uint16Array {
  const groups = cols / group;
  const bits = new Uint16Array(rows * groups);
  const view = new DataView(codes.buffer, codes.byteOffset, codes.byteLength);
  const size = recordBytes(group, offset);
  for (let row = 0; row < rows; row++) {
    for (let g = 0; g < groups; g++) {
      const at = ((row >> 3) * groups + g) * size + group * 4 + (row & 7) * 2;
      bits[g * rows + row] = view.getUint16(at, true);
    }
  }
  return bits;
}
