// Rounds matrices to packed forms with the kernels of assembly/kernels/pack, a few rows at a time so that no model-sized
// copy is made. One instance serves one quantizer.

import { InputError } from "../../core/errors.js";
import { type Group, type PackedInt4, type PackedInt8, type PlainF32, packedInt4Bytes } from "../../core/packed.js";
import type { Platform, Quantizer } from "../../core/ports.js";
import { openArena } from "./arena.js";
import { type Loaded, loadKernels, OFFSET } from "./kernels.js";
import { knowsInstructions } from "./support.js";

/** Rows pass in pieces of about this size. */
const PIECE_BYTES = 8 * 1024 * 1024;

export async function openQuantizer(platform: Platform): Promise<Quantizer> {
  const loaded = await loadKernels(platform, knowsInstructions("simd") ? "simd" : "scalar");
  return {
    int4: (values, rows, cols, group) => int4(loaded, values, rows, cols, group),
    int8: (values, rows, cols) => int8(loaded, values, rows, cols),
    unpack: (data) => unpack(loaded, data),
    scatterColumns: (values, order, rows) => scatterColumns(loaded, values, order, rows),
    syntheticInt4: (seed, rows, cols, group) => synthetic(loaded, seed, rows, cols, group),
    syntheticInt8: (seed, first, rows, cols) =>
      int8Pieces(loaded, rows, cols, 0, (row, count, _, codes, scales) =>
        loaded.kernels.syntheticInt8(seed, first + row, count, cols, codes, scales),
      ),
  };
}

/** Rows of a piece, a multiple of eight. */
const pieceRows = (cols: number): number => Math.max(8, Math.floor(PIECE_BYTES / (cols * 4) / 8) * 8);

function packed(rows: number, cols: number, group: Group): PackedInt4 & { codes: Uint8Array } {
  const codes = new Uint8Array(packedInt4Bytes(rows, cols, group, "none8"));
  return {
    ...{ kind: "int4", layoutId: "r8", rows, cols, group, rowTile: 8, scaleType: "f16", offset: "none8" },
    ...{ codes, scales: "inline" },
  };
}

/** Addresses for `inBytes` and `outBytes`, the memory grown over them. */
function areas({ kernels, memory }: Loaded, inBytes: number, outBytes: number): readonly [number, number] {
  const arena = openArena(memory, kernels.heapBase() >>> 0, "quantizer");
  const places = [arena.take(inBytes), arena.take(outBytes)] as const;
  arena.grow();
  return places;
}

function checkCount(values: Float32Array, rows: number, cols: number): void {
  if (values.length === rows * cols) return;
  const problem = `${values.length} values for [${rows}, ${cols}]`;
  throw new InputError("quantizer", "values", problem, "Pass the whole matrix");
}

function int4(loaded: Loaded, values: Float32Array, rows: number, cols: number, group: Group): PackedInt4 {
  checkCount(values, rows, cols);
  const result = packed(rows, cols, group);
  const step = Math.min(pieceRows(cols), rows);
  const [from, to] = areas(loaded, step * cols * 4, packedInt4Bytes(step, cols, group, "none8"));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    new Float32Array(loaded.memory.buffer, from, count * cols).set(values.subarray(row * cols, (row + count) * cols));
    loaded.kernels.packInt4(from, count, cols, group, to);
    keep(loaded, to, count, row, result);
  }
  return result;
}

/** Copies the records of `count` rows from linear memory to their place in the result. */
function keep({ memory }: Loaded, from: number, count: number, row: number, { cols, group, codes }: PackedInt4): void {
  const bytes = packedInt4Bytes(count, cols, group, "none8");
  codes.set(new Uint8Array(memory.buffer, from, bytes), packedInt4Bytes(row, cols, group, "none8"));
}

function int8(loaded: Loaded, values: Float32Array, rows: number, cols: number): PackedInt8 {
  checkCount(values, rows, cols);
  return int8Pieces(loaded, rows, cols, 4, (row, count, from, codes, scales) => {
    const part = values.subarray(row * cols, (row + count) * cols);
    new Float32Array(loaded.memory.buffer, from, count * cols).set(part);
    loaded.kernels.packInt8(from, count, cols, codes, scales);
  });
}

/** Rows that `make` leaves in linear memory, a piece at a time. @param inBytes bytes of its input for each code */
function int8Pieces(
  loaded: Loaded,
  rows: number,
  cols: number,
  inBytes: number,
  make: (row: number, count: number, from: number, codes: number, scales: number) => void,
): PackedInt8 {
  const codes = new Int8Array(rows * cols);
  const scales = new Float32Array(rows);
  const step = Math.min(pieceRows(cols), rows);
  const [from, to] = areas(loaded, step * cols * inBytes, step * (cols + 4) + 4);
  const scalesAt = to + Math.ceil((step * cols) / 4) * 4;
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    make(row, count, from, to, scalesAt);
    const { buffer } = loaded.memory;
    codes.set(new Int8Array(buffer, to, count * cols), row * cols);
    scales.set(new Float32Array(buffer, scalesAt, count), row);
  }
  return { kind: "int8", rows, cols, codes, scales };
}

/** Rows come out of the kernels that read embedding tables. */
function unpack(loaded: Loaded, data: PackedInt4 | PackedInt8 | PlainF32): Float32Array {
  const { rows, cols } = data;
  if (data.kind === "f32") return data.values;
  const values = new Float32Array(rows * cols);
  // Eight rows at a time: of int4 that is one block of records.
  const bytes =
    data.kind === "int4" ? packedInt4Bytes(8, cols, data.group, data.offset) : loaded.kernels.int8Bytes(8, cols);
  const [from, to] = areas(loaded, bytes >>> 0, 8 * (cols * 5 + 4));
  const { kernels, memory } = loaded;
  for (let row = 0; row < rows; row += 8) {
    const count = Math.min(8, rows - row);
    const scalesAt = to + 8 * cols * 4;
    if (data.kind === "int4") {
      const at = packedInt4Bytes(row, cols, data.group, data.offset);
      new Uint8Array(memory.buffer, from, bytes).set(data.codes.subarray(at, at + bytes));
    } else {
      const codesAt = scalesAt + 32;
      new Int8Array(memory.buffer, codesAt, count * cols).set(data.codes.subarray(row * cols, (row + count) * cols));
      new Float32Array(memory.buffer, scalesAt, count).set(data.scales.subarray(row, row + count));
      kernels.int8Tile(codesAt, 0, count, cols, from);
    }
    for (let r = 0; r < count; r++) {
      const out = to + r * cols * 4;
      if (data.kind === "int4") kernels.embedInt4(from, cols, data.group, OFFSET[data.offset], r, out);
      else kernels.embedInt8(from, scalesAt, cols, r, out);
    }
    values.set(new Float32Array(memory.buffer, to, count * cols), row * cols);
  }
  return values;
}

/** By the inverse order: column `order[c]` of the result is column c. */
function scatterColumns(loaded: Loaded, values: Float32Array, order: Float32Array, rows: number): Float32Array {
  const cols = order.length;
  const inverse = new Float32Array(cols);
  order.forEach((column, c) => {
    inverse[column] = c;
  });
  const result = new Float32Array(rows * cols);
  const step = Math.min(pieceRows(cols), rows);
  const [from, to] = areas(loaded, (step + 1) * cols * 4, step * cols * 4);
  const { kernels, memory } = loaded;
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const orderAt = from + step * cols * 4;
    new Float32Array(memory.buffer, orderAt, cols).set(inverse);
    new Float32Array(memory.buffer, from, count * cols).set(values.subarray(row * cols, (row + count) * cols));
    kernels.gatherColumns(from, orderAt, to, count, cols, cols);
    result.set(new Float32Array(memory.buffer, to, count * cols), row * cols);
  }
  return result;
}

function synthetic(loaded: Loaded, seed: number, rows: number, cols: number, group: Group): PackedInt4 {
  const result = packed(rows, cols, group);
  const step = Math.min(pieceRows(cols), rows);
  const [, to] = areas(loaded, 0, packedInt4Bytes(step, cols, group, "none8"));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    loaded.kernels.syntheticInt4(seed, row, count, cols, group, to);
    keep(loaded, to, count, row, result);
  }
  return result;
}
