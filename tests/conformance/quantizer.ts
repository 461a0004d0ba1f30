// Rounding and packing written in plain TypeScript from the description in core/packed.ts: what tests pack with, and
// what the quantizer of assembly/kernels is compared with.

import { unpackWeights } from "../../src/backends/reference/unpack.js";
import { type Group, type PackedInt4, type PackedInt8, packedInt4Bytes, recordBytes } from "../../src/core/packed.js";
import type { Quantizer } from "../../src/core/ports.js";

const float = new DataView(new ArrayBuffer(4));

/** A number to IEEE 754 binary16, to nearest, ties to even. */
export function toHalf(value: number): number {
  float.setFloat32(0, value);
  const bits = float.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | nearestEven(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | (((exponent + 15) << 10) + nearestEven((size / 2 ** exponent - 1) * 1024));
}

export function nearestEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** Codes [rows, cols] in 0..15, scales [rows, groups] as binary16 bits, and offsets, to "r8" records. */
export function packInt4(
  matrix: { rows: number; cols: number; group: Group; offset: PackedInt4["offset"] },
  code: (row: number, col: number) => number,
  scaleBits: (row: number, groupIndex: number) => number,
  offset: (row: number, groupIndex: number) => number = () => 0,
): PackedInt4 {
  const { rows, cols, group } = matrix;
  const codes = new Uint8Array(packedInt4Bytes(rows, cols, group, matrix.offset));
  const view = new DataView(codes.buffer);
  const size = recordBytes(group, matrix.offset);
  const groups = Math.ceil(cols / group);
  const neutral = matrix.offset === "none8" ? 8 : 0;
  for (let row = 0; row < Math.ceil(rows / 8) * 8; row++) {
    for (let g = 0; g < groups; g++) {
      const base = (Math.floor(row / 8) * groups + g) * size;
      const lane = row % 8;
      for (let i = 0; i < group; i++) {
        const col = g * group + i;
        const value = row < rows && col < cols ? code(row, col) : neutral;
        const at = base + Math.floor(i / 8) * 32 + lane * 4 + (i % 4);
        codes[at] = codes[at] | (i % 8 < 4 ? value : value << 4);
      }
      if (row >= rows) continue;
      view.setUint16(base + group * 4 + lane * 2, scaleBits(row, g), true);
      const tail = base + group * 4 + 16;
      if (matrix.offset === "zeroU4") view.setUint8(tail + lane, offset(row, g));
      if (matrix.offset === "bias") view.setUint16(tail + lane * 2, toHalf(offset(row, g)), true);
    }
  }
  return { kind: "int4", layoutId: "r8", ...matrix, rowTile: 8, scaleType: "f16", codes, scales: "inline" };
}

/** Largest finite half: a scale beyond it is cut. */
const HALF_MAX = 65504;

/** As llama.cpp's Q4_0: scale = value of largest magnitude / -8, codes rounded against the stored half. */
function int4(values: Float32Array, rows: number, cols: number, group: Group): PackedInt4 {
  const groups = Math.ceil(cols / group);
  const bits = (row: number, g: number): number => {
    const part = values.subarray(row * cols + g * group, row * cols + Math.min(cols, (g + 1) * group));
    const peak = part.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    return toHalf(Math.max(-HALF_MAX, Math.min(HALF_MAX, peak / -8)));
  };
  const scales = Array.from({ length: rows * groups }, (_, i) => bits(Math.floor(i / groups), i % groups));
  const code = (row: number, col: number): number => {
    const scale = halfToNumber(scales[row * groups + Math.floor(col / group)]);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const shifted = Math.fround(Math.fround(values[row * cols + col] * inverse) + 8.5);
    return Math.max(0, Math.min(15, Math.floor(shifted)));
  };
  return packInt4({ rows, cols, group, offset: "none8" }, code, (row, g) => scales[row * groups + g]);
}

export function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1024 + (bits & 1023)) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

function int8(values: Float32Array, rows: number, cols: number): PackedInt8 {
  const codes = new Int8Array(rows * cols);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * cols, (row + 1) * cols);
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const inverse = largest > 0 ? Math.fround(127 / largest) : 0;
    scales[row] = Math.fround(largest / 127);
    part.forEach((value, col) => {
      codes[row * cols + col] = nearestEven(Math.fround(value * inverse));
    });
  }
  return { kind: "int8", rows, cols, codes, scales };
}

export const plainQuantizer: Quantizer = {
  int4,
  int8,
  unpack(data) {
    const format = data.kind === "int4" ? (`int4-g${data.group}` as const) : data.kind;
    const { rows, cols } = data;
    return unpackWeights({ id: 0, name: "", class: "weights", part: "decoder", layer: -1, format, rows, cols }, data);
  },
  scatterColumns(values, order, rows) {
    const out = new Float32Array(values.length);
    const cols = order.length;
    values.forEach((value, i) => {
      out[Math.floor(i / cols) * cols + order[i % cols]] = value;
    });
    return out.length === rows * cols ? out : out.subarray(0, rows * cols);
  },
  syntheticInt8(seed, first, rows, cols) {
    const code = (i: number) => (Math.imul(seed + first * cols + i + 1, 0x9e3779b1) >>> 24) - 127;
    const codes = Int8Array.from({ length: rows * cols }, (_, i) => Math.min(127, code(i)));
    return { kind: "int8", rows, cols, codes, scales: new Float32Array(rows).fill(1 / (Math.sqrt(cols) * 73.6)) };
  },
  syntheticInt4(seed, rows, cols, group) {
    const scale = toHalf(1 / (Math.sqrt(cols) * 4.6));
    const mix = (row: number, col: number) => Math.imul(seed + row * cols + col + 1, 0x9e3779b1) >>> 28;
    return packInt4({ rows, cols, group, offset: "none8" }, mix, () => scale);
  },
};
