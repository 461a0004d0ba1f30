// Brings weights of files into packed forms with the kernels of assembly/kernels/blocks-*, some MiB at a time, so that
// no model-sized copy is made. One instance serves one repacker.

import { InputError } from "../../core/errors.js";
import {
  BLOCKS,
  type PackedBlocks,
  type PackedInt4,
  packedBlocksBytes,
  packedInt4Bytes,
  type Repacker,
} from "../../core/packed.js";
import type { Platform } from "../../core/ports.js";
import { openArena } from "./arena.js";
import { BLOCK_TYPE, type Loaded, loadKernels, OFFSET } from "./kernels.js";
import { records } from "./records.js";
import { knowsInstructions } from "./support.js";

const PIECE_BYTES = 1 << 20;
/** What the kernels that take a block apart need for themselves (assembly/kernels/blocks-matmul.ts). */
const SCRATCH_BYTES = 8192;

export async function openRepacker(platform: Platform): Promise<Repacker> {
  const loaded = await loadKernels(platform, knowsInstructions("simd") ? "simd" : "scalar");
  return {
    int4: (type, bytes, rows, cols) => int4(loaded, type, bytes, rows, cols),
    records: (matrix) => records(loaded, matrix),
    checked: (data, name) => checked(loaded, data, name),
    unpack: (data) => (data.kind === "blocks" ? unpackBlocks(loaded, data) : unpackInt4(loaded, data)),
  };
}

/** Addresses for areas of these sizes, the memory grown over them. */
function areas({ kernels, memory }: Loaded, ...sizes: readonly number[]): readonly number[] {
  const arena = openArena(memory, kernels.heapBase() >>> 0, "repacker");
  const places = sizes.map((bytes) => arena.take(bytes));
  arena.grow();
  return places;
}

/** Rows of a piece, a multiple of eight. */
const stepOf = (rows: number, rowBytes: number): number =>
  Math.min(Math.max(8, Math.floor(PIECE_BYTES / rowBytes / 8) * 8), rows);

function refuse(name: string, row: number): InputError {
  return new InputError(name, `row ${row}`, "holds a number that is not finite", "Get the file again or another one");
}

function int4(loaded: Loaded, type: "q4_0" | "q4_1", bytes: Uint8Array, rows: number, cols: number): PackedInt4 {
  const offset = type === "q4_0" ? "none8" : "bias";
  const rowBytes = (cols / 32) * (type === "q4_0" ? 18 : 20);
  const codes = new Uint8Array(packedInt4Bytes(rows, cols, 32, offset));
  const step = stepOf(rows, rowBytes);
  const [from, to] = areas(loaded, step * rowBytes, packedInt4Bytes(step, cols, 32, offset));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const { buffer } = loaded.memory;
    new Uint8Array(buffer, from, count * rowBytes).set(bytes.subarray(row * rowBytes, (row + count) * rowBytes));
    const bad = loaded.kernels.repackInt4(from, count, cols, OFFSET[offset], to);
    if (bad >= 0) throw refuse(type, row + bad);
    const records = new Uint8Array(buffer, to, packedInt4Bytes(count, cols, 32, offset));
    codes.set(records, packedInt4Bytes(row, cols, 32, offset));
  }
  const form = { kind: "int4", layoutId: "r8", rowTile: 8, scaleType: "f16", scales: "inline" } as const;
  return { ...form, rows, cols, group: 32, offset, codes };
}

function checked(loaded: Loaded, data: PackedBlocks, name: string): PackedBlocks {
  const { rows, cols, type, bytes } = data;
  const rowBytes = packedBlocksBytes(1, cols, type);
  if (bytes.length !== rows * rowBytes || cols % BLOCKS[type].columns !== 0) {
    throw new InputError(name, "", `${bytes.length} bytes for [${rows}, ${cols}]`, "Pass the whole matrix");
  }
  const step = stepOf(rows, rowBytes);
  const [from, scratch] = areas(loaded, step * rowBytes, SCRATCH_BYTES);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const { buffer } = loaded.memory;
    new Uint8Array(buffer, from, count * rowBytes).set(bytes.subarray(row * rowBytes, (row + count) * rowBytes));
    const bad = loaded.kernels.firstBadRow(BLOCK_TYPE[type], from, count, cols, scratch);
    if (bad >= 0) throw refuse(name, row + bad);
  }
  return data;
}

function unpackBlocks(loaded: Loaded, { type, rows, cols, bytes }: PackedBlocks): Float32Array {
  const rowBytes = packedBlocksBytes(1, cols, type);
  const step = stepOf(rows, cols * 4);
  const [from, to, scratch] = areas(loaded, step * rowBytes, step * cols * 4, SCRATCH_BYTES);
  const values = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const { buffer } = loaded.memory;
    new Uint8Array(buffer, from, count * rowBytes).set(bytes.subarray(row * rowBytes, (row + count) * rowBytes));
    for (let r = 0; r < count; r++) {
      loaded.kernels.embedBlocks(from, BLOCK_TYPE[type], cols, r, to + r * cols * 4, scratch);
    }
    values.set(new Float32Array(buffer, to, count * cols), row * cols);
  }
  return values;
}

/** Rows come out of the kernel that reads embedding tables. */
function unpackInt4(loaded: Loaded, { rows, cols, group, offset, codes }: PackedInt4): Float32Array {
  const blockBytes = packedInt4Bytes(8, cols, group, offset);
  const [from, to] = areas(loaded, blockBytes, 8 * cols * 4);
  const values = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row += 8) {
    const count = Math.min(8, rows - row);
    const at = (row / 8) * blockBytes;
    const { buffer } = loaded.memory;
    new Uint8Array(buffer, from, blockBytes).set(codes.subarray(at, at + blockBytes));
    for (let r = 0; r < count; r++) {
      loaded.kernels.embedInt4(from, cols, group, OFFSET[offset], r, to + r * cols * 4);
    }
    values.set(new Float32Array(buffer, to, count * cols), row * cols);
  }
  return values;
}
