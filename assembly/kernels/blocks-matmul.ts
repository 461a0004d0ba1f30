// out = W x (+ bias) for weights in blocks (blocks.ts): four rows of a chunk of columns are taken apart once and meet all
// tokens. Activations are int8 with a scale per 32 columns, or f32.

import { CHUNK, hasOffsets, onlyFloats, rowBytes, scaleColumns, unpackCodes } from "./blocks";
import { expandRow } from "./blocks-floats";
import { Job, TOKEN_TILE, UNIT_ROWS, ceilDiv } from "./job";
import { control, runJob } from "./jobs";
import { SIMD, madd } from "./lanes";
import { quantizeRow } from "./quantize";

export const KIND_BLOCKS_I8: i32 = 16;
export const KIND_BLOCKS_F32: i32 = 17;
const PARALLEL_WORK: i64 = 1 << 18;

// A thread's scratch: sums f32 [128 tokens][4 rows], codes i8 [4][256], scales and offsets f32 [16][4], floats f32 [4][256].
const CODES: usize = <usize>TOKEN_TILE * 16;
const SCALES: usize = CODES + 1024;
const OFFSETS: usize = SCALES + 256;
const FLOATS: usize = OFFSETS + 256;
/** Bytes of scratch that unpacking one row for `embedBlocks` needs. */
export const ROW_SCRATCH: usize = FLOATS + 4096;

/**
 * @param type number of a block type (blocks.ts)
 * @param weight blocks, row-major [rows, cols]
 * @param bias f32 [rows] or 0
 * @param x f32 [tokens, cols]; `int8`: it is rounded first (never for f16 and bf16)
 * @param out f32 [tokens, outStride]
 * @param prepared scratch of preparedBytes (matmul.ts), 16-byte aligned
 */
export function matmulBlocks(
  type: i32, weight: usize, bias: usize, x: usize, out: usize, outStride: i32,
  rows: i32, cols: i32, tokens: i32, int8: bool, prepared: usize,
): void {
  const job = changetype<Job>(control() + 64);
  for (let t = 0; t < tokens; t += TOKEN_TILE) {
    job.kind = int8 && !onlyFloats(type) ? KIND_BLOCKS_I8 : KIND_BLOCKS_F32;
    job.weight = weight;
    job.bias = bias;
    job.out = out + ((<usize>t * <usize>outStride) << 2);
    job.outStride = outStride;
    job.rows = rows;
    job.cols = cols;
    job.tokens = min(TOKEN_TILE, tokens - t);
    job.group = type;
    job.units = ceilDiv(rows, UNIT_ROWS);
    const from = x + ((<usize>t * <usize>cols) << 2);
    if (job.kind == KIND_BLOCKS_I8) prepareCodes(job, from, prepared);
    else prepareFloats(job, from, prepared);
    runJob(job, <i64>rows * <i64>cols * <i64>job.tokens >= PARALLEL_WORK);
  }
}

/** x: i8 [tokens][cols]; xScales: f32 [tokens][cols / 32]; xSums: f32 [tokens][cols / 16], the sums of what codes stand for. */
function prepareCodes(job: Job, x: usize, prepared: usize): void {
  const cols = <usize>job.cols;
  const tokens = <usize>job.tokens;
  job.xScales = prepared;
  job.xSums = prepared + (tokens * cols >> 3);
  const wholes = job.xSums + (tokens * cols >> 2);
  job.x = wholes + (cols >> 3);
  job.xStride = job.cols;
  for (let t: usize = 0; t < tokens; t++) {
    const codes = job.x + t * cols;
    const scales = job.xScales + (t * cols >> 3);
    quantizeRow(x + ((t * cols) << 2), job.cols, 32, codes, scales, wholes, 4);
    if (!hasOffsets(job.group)) continue;
    const sums = job.xSums + (t * cols >> 2);
    for (let g: usize = 0; g < cols >> 4; g++) {
      let sum = 0;
      for (let c: usize = 0; c < 16; c++) sum += load<i8>(codes + (g << 4) + c);
      store<f32>(sums + (g << 2), load<f32>(scales + ((g >> 1) << 2)) * <f32>sum);
    }
  }
}

/** x as it is, or copied to rows of a multiple of four columns. */
function prepareFloats(job: Job, x: usize, prepared: usize): void {
  const bytes = <usize>job.cols << 2;
  const padded = (bytes + 15) & ~15;
  job.x = x;
  job.xStride = <i32>bytes;
  if (padded == bytes) return;
  job.x = prepared;
  job.xStride = <i32>padded;
  for (let t: usize = 0; t < <usize>job.tokens; t++) {
    memory.fill(prepared + t * padded, 0, padded);
    memory.copy(prepared + t * padded, x + t * bytes, bytes);
  }
}

/** 64 rows, four at a time. */
export function blocksUnit(job: Job, unit: i32, scratch: usize): void {
  const first = unit * UNIT_ROWS;
  const last = min(first + UNIT_ROWS, job.rows);
  for (let row = first; row < last; row += 4) {
    memory.fill(scratch, 0, <usize>job.tokens << 4);
    for (let column = 0; column < job.cols; column += CHUNK) {
      const count = min(CHUNK, job.cols - column);
      if (job.kind == KIND_BLOCKS_I8) codesChunk(job, row, column, count, scratch);
      else floatsChunk(job, row, column, count, scratch);
    }
    for (let t = 0; t < job.tokens; t++) {
      const out = job.out + ((<usize>t * <usize>job.outStride + <usize>row) << 2);
      for (let r = 0; r < min(4, last - row); r++) {
        let value = load<f32>(scratch + (<usize>t << 4) + (r << 2));
        if (job.bias) value += load<f32>(job.bias + (<usize>(row + r) << 2));
        store<f32>(out + (r << 2), value);
      }
    }
  }
}

/** Address of a column of a row; rows past the last repeat it (their sums are not used). */
// @ts-ignore: decorator
@inline
function blockAt(job: Job, row: i32, column: i32): usize {
  return job.weight + <usize>min(row, job.rows - 1) * rowBytes(job.group, job.cols) + rowBytes(job.group, column);
}

function codesChunk(job: Job, row: i32, column: i32, count: i32, scratch: usize): void {
  const type = job.group;
  for (let r = 0; r < 4; r++) {
    const lane = <usize>r << 2;
    const codes = scratch + CODES + (<usize>r << 8);
    unpackCodes(type, blockAt(job, row + r, column), count, codes, scratch + SCALES + lane, scratch + OFFSETS + lane);
  }
  const per = scaleColumns(type);
  for (let t = 0; t < job.tokens; t++) {
    const at = <usize>t * <usize>job.cols + <usize>column;
    const sums = hasOffsets(type) ? job.xSums + (at >> 2) : 0;
    if (SIMD) codesVector(per, count, job.x + at, job.xScales + (at >> 3), sums, scratch, scratch + (<usize>t << 4));
    else codesScalar(per, count, job.x + at, job.xScales + (at >> 3), sums, scratch, scratch + (<usize>t << 4));
  }
}

/** acc[4 rows] += scale * xScale * (codes . x) + offset * sum of x. */
function codesVector(per: i32, count: i32, x: usize, xScales: usize, xSums: usize, scratch: usize, acc: usize): void {
  let total = v128.load(acc);
  let codes = scratch + CODES;
  const end = codes + count;
  let g: usize = 0;
  while (codes < end) {
    let a = i32x4.splat(0), b = i32x4.splat(0), c = i32x4.splat(0), d = i32x4.splat(0);
    for (const stop = codes + per; codes < stop; codes += 8) {
      const v = v128.load8x8_s(x);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load8x8_s(codes), v));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 256), v));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 512), v));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 768), v));
      x += 8;
    }
    const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
    const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
    const sums = i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
    const xScale = v128.load32_splat(xScales + ((per == 16 ? g >> 1 : g) << 2));
    const scale = f32x4.mul(v128.load(scratch + (g << 4), SCALES), xScale);
    total = f32x4.add(total, f32x4.mul(scale, f32x4.convert_i32x4_s(sums)));
    if (xSums) total = f32x4.add(total, f32x4.mul(v128.load(scratch + (g << 4), OFFSETS), f32x4.splat(sumAt(xSums, per, g))));
    g++;
  }
  v128.store(acc, total);
}

/** Sum of x over the columns of scale g, from sums over 16. */
// @ts-ignore: decorator
@inline
function sumAt(xSums: usize, per: i32, g: usize): f32 {
  return per == 16 ? load<f32>(xSums + (g << 2)) : load<f32>(xSums + (g << 3)) + load<f32>(xSums + (g << 3), 4);
}

function codesScalar(per: i32, count: i32, x: usize, xScales: usize, xSums: usize, scratch: usize, acc: usize): void {
  for (let r: usize = 0; r < 4; r++) {
    let total = load<f32>(acc + (r << 2));
    const codes = scratch + CODES + (r << 8);
    for (let g: usize = 0; g < <usize>(count / per); g++) {
      let sum = 0;
      for (let c = g * <usize>per; c < (g + 1) * <usize>per; c++) sum += <i32>load<i8>(codes + c) * <i32>load<i8>(x + c);
      const xScale = load<f32>(xScales + ((per == 16 ? g >> 1 : g) << 2));
      total += load<f32>(scratch + SCALES + (g << 4) + (r << 2)) * xScale * <f32>sum;
      if (xSums) total += load<f32>(scratch + OFFSETS + (g << 4) + (r << 2)) * sumAt(xSums, per, g);
    }
    store<f32>(acc + (r << 2), total);
  }
}

function floatsChunk(job: Job, row: i32, column: i32, count: i32, scratch: usize): void {
  for (let r = 0; r < 4; r++) {
    const to = scratch + FLOATS + (<usize>r << 10);
    const padded = (count + 3) & ~3;
    for (let c = count; c < padded; c++) store<f32>(to + (<usize>c << 2), 0);
    expandRow(job.group, blockAt(job, row + r, column), count, to, scratch + CODES, scratch + SCALES, scratch + OFFSETS);
  }
  for (let t = 0; t < job.tokens; t++) {
    const x = job.x + <usize>t * <usize>job.xStride + (<usize>column << 2);
    if (SIMD) floatsVector((count + 3) & ~3, x, scratch + FLOATS, scratch + (<usize>t << 4));
    else floatsScalar(count, x, scratch + FLOATS, scratch + (<usize>t << 4));
  }
}

/** acc[4 rows] += weights . x, rows of weights 1024 bytes apart. */
function floatsVector(count: i32, x: usize, weights: usize, acc: usize): void {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (const end = weights + (<usize>count << 2); weights < end; weights += 16) {
    const v = v128.load(x);
    a = madd(v128.load(weights), v, a);
    b = madd(v128.load(weights, 1024), v, b);
    c = madd(v128.load(weights, 2048), v, c);
    d = madd(v128.load(weights, 3072), v, d);
    x += 16;
  }
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  const sums = f32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
  v128.store(acc, f32x4.add(v128.load(acc), sums));
}

function floatsScalar(count: i32, x: usize, weights: usize, acc: usize): void {
  for (let r: usize = 0; r < 4; r++) {
    let total = load<f32>(acc + (r << 2));
    const row = weights + (r << 10);
    for (let c: usize = 0; c < <usize>count << 2; c += 4) total += load<f32>(row + c) * load<f32>(x + c);
    store<f32>(acc + (r << 2), total);
  }
}

/** Row `token` of a table in blocks, as f32 [cols]; scratch of at least ROW_SCRATCH bytes. */
export function embedBlocks(table: usize, type: i32, cols: i32, token: i32, out: usize, scratch: usize): void {
  const row = table + <usize>token * rowBytes(type, cols);
  for (let column = 0; column < cols; column += CHUNK) {
    const from = row + rowBytes(type, column);
    const to = out + (<usize>column << 2);
    expandRow(type, from, min(CHUNK, cols - column), to, scratch + CODES, scratch + SCALES, scratch + OFFSETS);
  }
}
