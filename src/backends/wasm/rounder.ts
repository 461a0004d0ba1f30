// Rounds f32 values to the forms of files (core/write.ts) with the kernels of assembly/kernels/blocks-write and pack-zero,
// a MiB at a time, and measures what rounding cost. One instance serves one writer.

import { InputError } from "../../core/errors.js";
import { type Group, type PackedInt4, packedInt4Bytes, type Repacker } from "../../core/packed.js";
import type { Platform } from "../../core/ports.js";
import type { Difference, Rounder, WrittenType } from "../../core/write.js";
import { openArena } from "./arena.js";
import { type Loaded, loadKernels } from "./kernels.js";
import { openRepacker } from "./repacker.js";
import { knowsInstructions } from "./support.js";

/** Types by the kernel's number, with the values and bytes of a block. */
const TYPES = {
  F16: { id: 0, columns: 1, bytes: 2 },
  Q4_0: { id: 1, columns: 32, bytes: 18 },
  Q4_1: { id: 2, columns: 32, bytes: 20 },
  Q8_0: { id: 3, columns: 32, bytes: 34 },
} as const;

const PIECE_VALUES = 1 << 18;

export async function openRounder(platform: Platform): Promise<Rounder> {
  const loaded = await loadKernels(platform, knowsInstructions("simd") ? "simd" : "scalar");
  const repacker = await openRepacker(platform);
  return {
    blocks: (type, values) => blocks(loaded, type, values),
    int4: (values, rows, cols, group) => int4(loaded, values, rows, cols, group),
    unpackBlocks: (type, bytes, rows, cols) => unpackBlocks(repacker, type, bytes, rows, cols),
    unpackInt4: (packed) => repacker.unpack(packed),
    difference: (wanted, written) => difference(loaded, wanted, written),
  };
}

/** Addresses for areas of these sizes, the memory grown over them. */
function areas({ kernels, memory }: Loaded, ...sizes: readonly number[]): readonly number[] {
  const arena = openArena(memory, kernels.heapBase() >>> 0, "rounder");
  const places = sizes.map((bytes) => arena.take(bytes));
  arena.grow();
  return places;
}

function blocks(loaded: Loaded, type: WrittenType, values: Float32Array): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
  const { id, columns, bytes } = TYPES[type];
  if (values.length % columns !== 0) {
    throw new InputError(type, "values", `${values.length} values fill no blocks of ${columns}`, "Write F16");
  }
  const { kernels, memory } = loaded;
  const [from, to] = areas(loaded, PIECE_VALUES * 4, PIECE_VALUES * 2);
  const packed = new Uint8Array((values.length / columns) * bytes);
  for (let at = 0; at < values.length; at += PIECE_VALUES) {
    const part = values.subarray(at, at + PIECE_VALUES);
    new Float32Array(memory.buffer, from, part.length).set(part);
    kernels.packBlocks(id, from, part.length, to);
    packed.set(new Uint8Array(memory.buffer, to, (part.length / columns) * bytes), (at / columns) * bytes);
  }
  return packed;
}

function int4(loaded: Loaded, values: Float32Array, rows: number, cols: number, group: Group): PackedInt4 {
  if (values.length !== rows * cols || cols % group !== 0) {
    const problem = `${values.length} values for [${rows}, ${cols}] in groups of ${group}`;
    throw new InputError("int4", "values", problem, "Pass whole rows of whole groups");
  }
  const { kernels, memory } = loaded;
  const codes = new Uint8Array(packedInt4Bytes(rows, cols, group, "zeroU4"));
  const step = Math.max(8, Math.floor(PIECE_VALUES / cols / 8) * 8);
  const [from, to] = areas(loaded, step * cols * 4, packedInt4Bytes(step, cols, group, "zeroU4"));
  for (let row = 0; row < rows; row += step) {
    const part = values.subarray(row * cols, (row + step) * cols);
    new Float32Array(memory.buffer, from, part.length).set(part);
    kernels.packInt4Zero(from, part.length / cols, cols, group, to);
    const bytes = packedInt4Bytes(part.length / cols, cols, group, "zeroU4");
    codes.set(new Uint8Array(memory.buffer, to, bytes), packedInt4Bytes(row, cols, group, "zeroU4"));
  }
  const form = { kind: "int4", layoutId: "r8", rowTile: 8, scaleType: "f16", scales: "inline" } as const;
  return { ...form, rows, cols, group, offset: "zeroU4", codes };
}

function unpackBlocks(repacker: Repacker, type: WrittenType, bytes: Uint8Array, rows: number, cols: number) {
  switch (type) {
    case "F32":
      return new Float32Array(bytes.slice().buffer);
    case "Q4_0":
    case "Q4_1":
      return repacker.unpack(repacker.int4(type === "Q4_0" ? "q4_0" : "q4_1", bytes, rows, cols));
    case "F16":
    case "Q8_0":
      return repacker.unpack({ kind: "blocks", type: type === "F16" ? "f16" : "q8_0", rows, cols, bytes });
    default:
      return type satisfies never;
  }
}

function difference(loaded: Loaded, wanted: Float32Array, written: Float32Array): Difference {
  const { kernels, memory } = loaded;
  const [sums, a, b] = areas(loaded, 24, PIECE_VALUES * 4, PIECE_VALUES * 4);
  new Float64Array(memory.buffer, sums, 3).fill(0);
  for (let at = 0; at < wanted.length; at += PIECE_VALUES) {
    const part = wanted.subarray(at, at + PIECE_VALUES);
    new Float32Array(memory.buffer, a, part.length).set(part);
    new Float32Array(memory.buffer, b, part.length).set(written.subarray(at, at + PIECE_VALUES));
    kernels.addDifference(a, b, part.length, sums);
  }
  const [most, squares, total] = new Float64Array(memory.buffer, sums, 3);
  return { most, squares, total };
}
