// Blocks of ggml to f32, element by element from the description of each layout in ggml-quants.c (llama.cpp): slow, plain,
// and independent of the kernels that it is the judge of. Products are rounded to f32 as there.

import { BLOCKS, type BlockType, type PackedBlocks } from "../../core/packed.js";
import { fromHalf } from "./half.js";

const f32 = Math.fround;
const IQ4_NL = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** Quantiles of the normal distribution (Dettmers et al. 2023; bitsandbytes functional.py). */
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

interface Block {
  readonly single: (at: number) => number;
  readonly u8: (at: number) => number;
  readonly i8: (at: number) => number;
  readonly half: (at: number) => number;
}

/** Weight `i` of a block. */
type Reader = (block: Block, i: number) => number;

const nibble = (block: Block, at: number, i: number): number => {
  const byte = block.u8(at + (i % 16));
  return i < 16 ? byte & 15 : byte >> 4;
};

/** Bit i of a little-endian word of 32. */
const bit = (block: Block, at: number, i: number): number => (block.u8(at + (i >> 3)) >> (i & 7)) & 1;

/** Two codes a byte, the first one low, behind scale and offset. */
const sequential = (block: Block, i: number): number => (block.u8(8 + (i >> 1)) >> (4 * (i & 1))) & 15;

/** The 6-bit scale and minimum of sub-block j of Q4_K and Q5_K. */
function scaleK(block: Block, j: number): readonly [number, number] {
  const s = (n: number) => block.u8(4 + n);
  if (j < 4) return [s(j) & 63, s(j + 4) & 63];
  return [(s(j + 4) & 15) | ((s(j - 4) >> 6) << 4), (s(j + 4) >> 4) | ((s(j) >> 6) << 4)];
}

function affineK(block: Block, i: number, code: number): number {
  const [scale, least] = scaleK(block, i >> 5);
  return f32(f32(f32(block.half(0) * scale) * code) - f32(block.half(2) * least));
}

/** Byte i % 32 of chunk i / 64; low nibbles for the first 32 of a chunk, high ones for the rest. */
const nibbleK = (block: Block, at: number, i: number): number => {
  const byte = block.u8(at + (i >> 6) * 32 + (i % 32));
  return i % 64 < 32 ? byte & 15 : byte >> 4;
};

/** Two bits of Q2_K and Q3_K: 32 bytes hold 128 codes, 32 by 32 at rising shifts. */
const pair = (block: Block, at: number, i: number): number =>
  (block.u8(at + (i >> 7) * 32 + (i % 32)) >> (2 * ((i >> 5) & 3))) & 3;

function scaleQ3(block: Block, g: number): number {
  const low = block.u8(96 + (g % 8));
  const high = (block.u8(104 + (g % 4)) >> (2 * (g >> 2))) & 3;
  return ((g < 8 ? low & 15 : low >> 4) | (high << 4)) - 32;
}

function q6(block: Block, i: number): number {
  const half = i >> 7;
  const quarter = (i >> 5) & 3;
  const low = block.u8(half * 64 + (quarter & 1) * 32 + (i % 32));
  const high = (block.u8(128 + half * 32 + (i % 32)) >> (2 * quarter)) & 3;
  return ((quarter < 2 ? low & 15 : low >> 4) | (high << 4)) - 32;
}

const READERS: Readonly<Record<BlockType, Reader>> = {
  f16: (block) => block.half(0),
  bf16: (block) => new Float32Array(Uint32Array.of((block.u8(0) | (block.u8(1) << 8)) << 16).buffer)[0],
  q5_0: (block, i) => f32(block.half(0) * ((nibble(block, 6, i) | (bit(block, 2, i) << 4)) - 16)),
  q5_1: (block, i) => f32(f32(block.half(0) * (nibble(block, 8, i) | (bit(block, 4, i) << 4))) + block.half(2)),
  q8_0: (block, i) => f32(block.half(0) * block.i8(2 + i)),
  q2_k: (block, i) => {
    const scale = block.u8(i >> 4);
    const product = f32(f32(block.half(80) * (scale & 15)) * pair(block, 16, i));
    return f32(product - f32(block.half(82) * (scale >> 4)));
  },
  q3_k: (block, i) => {
    const code = pair(block, 32, i) - ((block.u8(i % 32) >> (i >> 5)) & 1 ? 0 : 4);
    return f32(f32(block.half(108) * scaleQ3(block, i >> 4)) * code);
  },
  q4_k: (block, i) => affineK(block, i, nibbleK(block, 16, i)),
  q5_k: (block, i) => affineK(block, i, nibbleK(block, 48, i) | (((block.u8(16 + (i % 32)) >> (i >> 5)) & 1) << 4)),
  q6_k: (block, i) => f32(f32(block.half(208) * block.i8(192 + (i >> 4))) * q6(block, i)),
  nf4: (block, i) => f32(f32(NF4[i % 2 ? block.u8(4 + (i >> 1)) & 15 : block.u8(4 + (i >> 1)) >> 4]) * block.single(0)),
  affine4: (block, i) => f32(f32(block.single(0) * sequential(block, i)) + block.single(4)),
  affine8: (block, i) => f32(f32(block.single(0) * block.u8(8 + i)) + block.single(4)),
  zero4: (block, i) => f32(block.single(0) * f32(sequential(block, i) - block.single(4))),
  zero8: (block, i) => f32(block.single(0) * f32(block.u8(8 + i) - block.single(4))),
  iq4_nl: (block, i) => f32(block.half(0) * IQ4_NL[nibble(block, 2, i)]),
};

/** [rows, cols] f32 of weights in blocks. */
export function unpackBlocks({ type, rows, cols, bytes }: PackedBlocks): Float32Array {
  const { columns, bytes: size } = BLOCKS[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = READERS[type];
  return Float32Array.from({ length: rows * cols }, (_, n) => {
    const base = Math.floor(n / columns) * size;
    const block: Block = {
      u8: (at) => view.getUint8(base + at),
      single: (at) => view.getFloat32(base + at, true),
      i8: (at) => view.getInt8(base + at),
      half: (at) => fromHalf(view.getUint16(base + at, true)),
    };
    return read(block, n % columns);
  });
}
