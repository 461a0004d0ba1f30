// One piece of parallel work as the threads see it, and the scratch memory of this instance.
// Plain memory: pointers are byte addresses in the one linear memory that all threads share.

export const KIND_INT4_I8: i32 = 0;
export const KIND_INT4_F32: i32 = 1;
export const KIND_INT8_I8: i32 = 2;
export const KIND_INT8_F32: i32 = 3;
export const KIND_F32: i32 = 4;
export const KIND_ATTENTION: i32 = 5;
export const KIND_READ: i32 = 6;

export const OFFSET_NONE8: i32 = 0;
export const OFFSET_ZERO_U4: i32 = 1;
export const OFFSET_BIAS: i32 = 2;

/** Rows of a matrix that one claim of a thread covers: eight blocks of eight, read as eight streams. */
export const UNIT_ROWS: i32 = 64;
/** Most tokens of one matmul job; longer inputs are cut. */
export const TOKEN_TILE: i32 = 128;

@unmanaged
export class Job {
  kind: i32;
  units: i32;
  /** Weights [rows, cols] in their format's layout; int8: scales [rows] f32. */
  weight: usize;
  scales: usize;
  /** [rows] f32 or 0. */
  bias: usize;
  /** out[token * outStride + row], f32, stride in elements. */
  out: usize;
  outStride: i32;
  rows: i32;
  cols: i32;
  tokens: i32;
  group: i32;
  offset: i32;
  /** Activations as the kind's kernel wants them, `xStride` bytes a token. */
  x: usize;
  xStride: i32;
  /** [tokens, groups] f32 activation scales, i32 sums of activation codes. */
  xScales: usize;
  xSums: usize;
  /** Attention: q is x, out is out. Scales of int8 codes, or 0; positions that the cache has room for. */
  k: usize;
  v: usize;
  kScales: usize;
  vScales: usize;
  capacity: i32;
  start: i32;
  context: i32;
  heads: i32;
  kvHeads: i32;
  headDim: i32;
  causal: i32;
  /** Products of one job (fused.ts): units of this matrix alone, and the next matrix or 0. The first one's `units` counts all. */
  ownUnits: i32;
  next: usize;
}

/** The control block has room for so many products of one job, this far from each other. */
export const MOST_PARTS: i32 = 3;
export const PART_BYTES: usize = 128;

/** Bytes of one "r8" record: codes, eight f16 scales, and zero points or offsets where there are any. */
// @ts-ignore: decorator
@inline
export function recordBytes(group: i32, offset: i32): i32 {
  return group * 4 + (offset == OFFSET_NONE8 ? 16 : 32);
}

// @ts-ignore: decorator
@inline
export function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}
