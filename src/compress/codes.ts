// One matrix to codes, scales and zero points: plain rounding and HQQ, which look at weights only. And codes to what the writers
// and the forward pass take.

import { InputError } from "../core/errors.js";
import type { Group, PackedInt4, Repacker } from "../core/packed.js";
import type { AffineCodes } from "../core/write.js";
import type { Address, CompressModule } from "./kernels.js";
import type { Scheme } from "./scheme.js";

/** w = scale * (code - zero); scales are halves, written as f32. */
export interface MatrixCodes {
  readonly rows: number;
  readonly cols: number;
  /** Columns of a group; divides cols. */
  readonly group: number;
  readonly bits: 4 | 8;
  /** [rows, cols] */
  readonly codes: Uint8Array;
  /** [rows, cols / group] each. */
  readonly scales: Float32Array;
  readonly zeros: Uint8Array;
}

/** Rounding modes of assembly/compress/round.ts. */
export const MODE = { range: 0, rangeZero: 1, symmetric: 2, symmetricWide: 3 } as const;

/** bits | mode << 8 | scales as halves << 16 */
export function flagsOf({ bits, symmetric, method }: Scheme): number {
  const gptq = method === "gptq";
  const mode = symmetric ? (gptq ? MODE.symmetricWide : MODE.symmetric) : gptq ? MODE.rangeZero : MODE.range;
  return bits | (mode << 8) | (1 << 16);
}

export const groupOf = ({ group }: Scheme, cols: number): number => (group === 0 ? cols : group);

/** Room for the codes of a matrix in the module's memory. */
export interface CodeRoom {
  readonly codes: Address;
  readonly scales: Address;
  readonly zeros: Address;
}

export function codeRoom({ arena }: CompressModule, rows: number, cols: number, group: number): CodeRoom {
  const groups = Math.ceil(cols / group);
  return { codes: arena.alloc(rows * cols), scales: arena.alloc(rows * groups * 4), zeros: arena.alloc(rows * groups) };
}

/** Copies codes out of the module's memory. */
export function takeCodes(
  { arena }: CompressModule,
  room: CodeRoom,
  shape: Pick<MatrixCodes, "rows" | "cols" | "group" | "bits">,
): MatrixCodes {
  const { rows, cols, group } = shape;
  const groups = rows * Math.ceil(cols / group);
  return {
    ...shape,
    codes: arena.bytes(room.codes, rows * cols).slice(),
    scales: arena.floats(room.scales, groups).slice(),
    zeros: arena.bytes(room.zeros, groups).slice(),
  };
}

/** Throws InputError for a matrix whose scales, which files keep as f16, are not finite. */
export function checkScales({ arena, kernels }: CompressModule, name: string, { scales }: MatrixCodes): void {
  const mark = arena.mark();
  const sum = kernels.sumMagnitude(arena.place(scales), scales.length);
  arena.release(mark);
  if (Number.isFinite(sum)) return;
  const problem = "holds values so large that a scale of its codes does not fit f16";
  throw new InputError(name, "", problem, "Leave this part unquantized, or get another checkpoint");
}

/** Rounds the matrix at `w` [rows, cols] by rtn or hqq (awq's last step is rtn). */
export function roundAt(module: CompressModule, w: Address, rows: number, cols: number, scheme: Scheme): MatrixCodes {
  const mark = module.arena.mark();
  const group = groupOf(scheme, cols);
  const room = codeRoom(module, rows, cols, group);
  const { codes, scales, zeros } = room;
  const run = scheme.method === "hqq" ? module.kernels.hqqRows : module.kernels.roundRows;
  run(w, rows, cols, group, flagsOf(scheme), codes, scales, zeros);
  const result = takeCodes(module, room, { rows, cols, group, bits: scheme.bits });
  module.arena.release(mark);
  return result;
}

/** The same for values outside the module's memory. */
export function roundMatrix(
  module: CompressModule,
  values: Float32Array,
  rows: number,
  cols: number,
  scheme: Scheme,
): MatrixCodes {
  const mark = module.arena.mark();
  const result = roundAt(module, module.arena.place(values), rows, cols, scheme);
  module.arena.release(mark);
  return result;
}

/** f32 [rows, cols] that codes stand for. */
export function valuesOf(module: CompressModule, matrix: MatrixCodes): Float32Array {
  const { arena, kernels } = module;
  const { rows, cols, group } = matrix;
  const mark = arena.mark();
  const [codes, scales, zeros] = [matrix.codes, matrix.scales, matrix.zeros].map((part) => arena.place(part));
  const out = arena.alloc(rows * cols * 4);
  kernels.dequantize(codes, scales, zeros, rows, cols, group, out);
  const values = arena.floats(out, rows * cols).slice();
  arena.release(mark);
  return values;
}

/** 4-bit codes as the records that backends and writers take, exactly. @param group of the records: 32, 64 or 128 */
export function packedInt4(module: CompressModule, repacker: Repacker, matrix: MatrixCodes): PackedInt4 {
  const { arena, kernels } = module;
  const { rows, cols, group } = matrix;
  const mark = arena.mark();
  const codes = arena.place(matrix.codes);
  const words = arena.alloc((rows * cols) / 2);
  kernels.packCodes(codes, rows * cols, words);
  const scales = arena.place(matrix.scales);
  const halves = arena.alloc(matrix.scales.length * 2);
  kernels.halves(scales, matrix.scales.length, halves);
  const packed = repacker.records({
    ...{ rows, cols, group: group as Group, offset: "zeroU4", order: "rows" },
    words: new Uint32Array(arena.bytes(words, (rows * cols) / 2).slice().buffer),
    scales: new Uint16Array(arena.bytes(halves, matrix.scales.length * 2).slice().buffer),
    ...{ offsets: matrix.zeros, rowStride: cols / group, groupStride: 1, share: 1 },
  });
  arena.release(mark);
  return packed;
}

/** The same, of 4 or 8 bits, as words with f16 scales and offsets. Offsets are rounded to f16 where there are zero points. */
export function affineCodes(
  module: CompressModule,
  { bits, group }: Pick<MatrixCodes, "bits" | "group">,
  codesOf: () => Promise<MatrixCodes>,
): AffineCodes {
  const read = async () => {
    const { arena, kernels } = module;
    const matrix = await codesOf();
    const { rows, cols } = matrix;
    const mark = arena.mark();
    const count = matrix.scales.length;
    const [codes, scales, zeros] = [matrix.codes, matrix.scales, matrix.zeros].map((part) => arena.place(part));
    const [packed, steps, edges] = [arena.alloc(rows * cols), arena.alloc(count * 2), arena.alloc(count * 2)];
    if (bits === 4) kernels.packCodes(codes, rows * cols, packed);
    kernels.halves(scales, count, steps);
    kernels.offsets(scales, zeros, count, edges);
    const take = (at: Address, bytes: number) => arena.bytes(at, bytes).slice().buffer;
    const result = {
      words: new Uint32Array(take(bits === 4 ? packed : codes, (rows * cols * bits) / 8)),
      scales: new Uint16Array(take(steps, count * 2)),
      offsets: new Uint16Array(take(edges, count * 2)),
    };
    arena.release(mark);
    return result;
  };
  return { bits, group, read };
}
