// out = W x (+ bias): brings the activations into the form that the format's kernel wants, then runs the rows as a job.

import { SOURCE_NONE, beginRows, joinParts, makeRows, stepParts } from "./fused";
import * as kinds from "./job";
import { Job, OFFSET_NONE8, TOKEN_TILE, UNIT_ROWS, ceilDiv } from "./job";
import { control, runJob } from "./jobs";
import { FUSED, RELAXED, SIMD } from "./lanes";
import { PANEL_TOKENS } from "./matmul-units";
import { packPlanes, spreadPlanes } from "./planes";
import { largestMagnitude, quantizeRow } from "./quantize";
import { bytesGroupBytes, spreadBytes, spreadFloats, spreadPairs, spreadWords, widenCodes } from "./spread";
import { packTokens, tileTokens } from "./tiles-dots";

/** Below this many multiply-adds waking other threads costs more than it saves (about 10 us). */
const PARALLEL_WORK: i64 = 1 << 18;

/** The kernels of few tokens multiply activation scales by 2^112; beyond this (activations over 8e6) floats are taken instead. */
const MOST_SCALE: f32 = 65000;

/** Bytes of `prepared` that products of at most `cols` columns and `tokens` tokens need. */
export function preparedBytes(cols: i32, tokens: i32): u32 {
  const padded = u32((cols + 127) & ~127);
  const tile = u32(min(tokens, TOKEN_TILE));
  return max(3 * padded * 20, tile * padded * 4) + (tile + 4) * padded + 4096;
}

/**
 * @param kind KIND_* of job.ts: weight format and activation format
 * @param weight int4: "r8" records; int8: layout "t8"; f32: row-major
 * @param scales int8: f32 [rows], else 0
 * @param bias f32 [rows] or 0
 * @param x f32 [tokens, cols] row-major
 * @param out f32 [tokens, outStride]
 * @param group columns of an int4 group, else 0
 * @param offset OFFSET_* of job.ts
 * @param prepared scratch of preparedBytes, 16-byte aligned
 */
export function matmul(
  kind: i32, weight: usize, scales: usize, bias: usize, x: usize, out: usize, outStride: i32,
  rows: i32, cols: i32, tokens: i32, group: i32, offset: i32, prepared: usize,
): void {
  matmulParts(kind, weight, scales, bias, x, out, outStride, rows, cols, tokens, group, offset, prepared, 1, SOURCE_NONE);
}

/**
 * The same for `parts` matrices in one job, which setPart has named but for the first; `source`: what setSource has named
 * makes x first, which is then written (SOURCE_* of fused.ts).
 */
export function matmulParts(
  kind: i32, weight: usize, scales: usize, bias: usize, x: usize, out: usize, outStride: i32,
  rows: i32, cols: i32, tokens: i32, group: i32, offset: i32, prepared: usize, parts: i32, source: i32,
): void {
  const job = changetype<Job>(control() + 64);
  for (let t = 0; t < tokens; t += TOKEN_TILE) {
    job.kind = kind;
    job.weight = weight;
    job.scales = scales;
    job.bias = bias;
    job.out = out + ((<usize>t * <usize>outStride) << 2);
    job.outStride = outStride;
    job.rows = rows;
    job.cols = cols;
    job.tokens = min(TOKEN_TILE, tokens - t);
    job.group = group;
    job.offset = offset;
    job.units = ceilDiv(rows, UNIT_ROWS);
    beginRows(source, t);
    prepare(job, x + ((<usize>t * <usize>cols) << 2), prepared);
    const allRows = joinParts(job, parts);
    runJob(job, allRows * <i64>cols * <i64>job.tokens >= PARALLEL_WORK);
    stepParts(job.tokens, parts);
  }
}

function prepare(job: Job, x: usize, prepared: usize): void {
  const cols = job.cols;
  const group = job.group ? job.group : 32;
  const groups = ceilDiv(cols, group);
  job.xScales = prepared;
  const metaBytes = <usize>(((job.tokens + 3) & ~3) * groups) << 2;
  job.xSums = prepared + metaBytes;
  const free = job.xSums + metaBytes;
  const few = job.tokens < PANEL_TOKENS;
  const int8 = job.kind == kinds.KIND_INT4_I8 || job.kind == kinds.KIND_INT8_I8;
  if (!int8) makeRows(x, 0, job.tokens, cols);
  if (int8) {
    prepareInt8(job, x, groups, group, free);
    if (SIMD && few && job.kind == kinds.KIND_INT4_I8 && largestMagnitude(job.xScales, job.tokens * groups) > MOST_SCALE) {
      job.kind = kinds.KIND_INT4_F32;
      prepareFloats(job, x, groups, group, free);
    }
  } else if (job.kind == kinds.KIND_INT4_F32 && (few || !SIMD)) prepareFloats(job, x, groups, group, free);
  else if (job.kind == kinds.KIND_INT4_F32 && RELAXED && FUSED) packFloats(job, x, groups, group, free);
  else if (job.kind == kinds.KIND_INT8_F32 && (few || !SIMD)) padFloats(job, x, free);
  else {
    job.x = x;
    job.xStride = cols << 2;
  }
}

/**
 * int8 codes by token, then the form the kernel wants behind them. Scales and sums lie as [token][group] for the vector
 * kernels and as [tile][group][tokens of a tile] for tiles: of four tokens, and of four or six where they are dots.
 */
function prepareInt8(job: Job, x: usize, groups: i32, group: i32, free: usize): void {
  const padded = groups * group;
  const codes = free;
  const forms = free + <usize>((job.tokens * padded + 15) & ~15);
  const int4 = job.kind == kinds.KIND_INT4_I8;
  const tiles = SIMD && job.tokens >= PANEL_TOKENS;
  const dots = RELAXED && FUSED && int4;
  const all = (job.tokens + 1) & ~1;
  let first = 0;
  let count = 1;
  for (let t = 0; t < job.tokens; t++) {
    if (t == first + count || t == 0) {
      first = t;
      if (tiles) count = dots ? tileTokens(all - t) : 4;
    }
    const at = <usize>(first * groups + t - first) << 2;
    const from = x + ((<usize>t * <usize>job.cols) << 2);
    makeRows(from, t, 1, job.cols);
    quantizeRow(from, job.cols, group, codes + <usize>(t * padded), job.xScales + at, job.xSums + at, <usize>count << 2);
  }
  job.x = codes;
  job.xStride = padded;
  if (!SIMD) return;
  if (int4 && !tiles) {
    job.x = forms;
    job.xStride = RELAXED ? groups * bytesGroupBytes(group) : padded << 3;
    for (let t = 0; t < job.tokens; t++) {
      const from = codes + <usize>(t * padded);
      const to = forms + <usize>t * <usize>job.xStride;
      if (RELAXED && FUSED) spreadWords(from, padded, to);
      else if (RELAXED) spreadBytes(from, padded, group, job.offset == OFFSET_NONE8 ? -8 : 0, to);
      else spreadPairs(from, padded, to);
    }
  } else if (dots) {
    packTiles(job, padded, codes, forms);
  } else if (!int4 || !RELAXED || job.offset != OFFSET_NONE8) {
    job.x = forms;
    job.xStride = padded << 1;
    widenCodes(codes, padded * job.tokens, forms);
  }
}

/** The tokens of each tile side by side; one past the last is zeros. */
function packTiles(job: Job, padded: i32, codes: usize, forms: usize): void {
  const all = (job.tokens + 1) & ~1;
  memory.fill(codes + <usize>(job.tokens * padded), 0, <usize>((all - job.tokens) * padded));
  job.x = forms + <usize>((all - job.tokens) * padded);
  for (let t = 0, count = 0; t < all; t += count) {
    count = tileTokens(all - t);
    packTokens(codes + <usize>(t * padded), padded, count, job.x + <usize>(t * padded));
  }
}

function prepareFloats(job: Job, x: usize, groups: i32, group: i32, free: usize): void {
  if (!SIMD) {
    padFloats(job, x, free);
    for (let t = 0; t < job.tokens; t++) {
      for (let g = 0; g < groups; g++) {
        let sum: f64 = 0;
        const from = job.x + <usize>t * <usize>job.xStride + (<usize>(g * group) << 2);
        for (let c = 0; c < group; c++) sum += load<f32>(from + (c << 2));
        store<f32>(job.xSums + (<usize>(t * groups + g) << 2), <f32>sum);
      }
    }
    return;
  }
  if (RELAXED) {
    if (FUSED) return spreadFloatPlanes(job, x, groups, group, free);
  }
  job.x = free;
  job.xStride = (groups * group) << 4;
  for (let t = 0; t < job.tokens; t++) {
    const sums = job.xSums + (<usize>(t * groups) << 2);
    spreadFloats(x + ((<usize>t * <usize>job.cols) << 2), job.cols, group, free + <usize>t * <usize>job.xStride, sums);
  }
}

/** Tiles of tokens as planes of bytes; job.xStride is a token's share of a tile. */
function packFloats(job: Job, x: usize, groups: i32, group: i32, numbers: usize): void {
  if (!RELAXED) return;
  const stride = <usize>job.cols << 2;
  job.x = numbers + (<usize>group << 2);
  job.xStride = groups * group * 3;
  const all = (job.tokens + 1) & ~1;
  for (let t = 0, count = 0; t < all; t += count) {
    count = tileTokens(all - t);
    const meta = <usize>(t * groups) << 2;
    const to = job.x + <usize>t * <usize>job.xStride;
    packPlanes(
      x + <usize>t * stride, stride, count, job.tokens - t, job.cols, group, job.offset, to,
      job.xScales + meta, job.xSums + meta, numbers,
    );
  }
}

/** Few tokens as planes of bytes; the first of a token's sums is the unit of its scales. */
function spreadFloatPlanes(job: Job, x: usize, groups: i32, group: i32, numbers: usize): void {
  const padded = groups * group;
  job.x = numbers + (<usize>group << 2);
  job.xStride = padded * 12 + (padded / min(group, 32)) * 16;
  for (let t = 0; t < job.tokens; t++) {
    const meta = <usize>(t * groups) << 2;
    const from = x + ((<usize>t * <usize>job.cols) << 2);
    const to = job.x + <usize>t * <usize>job.xStride;
    store<f32>(job.xSums + meta, spreadPlanes(from, job.cols, group, job.offset, to, job.xScales + meta, numbers));
  }
}

/** Rows copied to a multiple of the group (int8: 32), filled up with zeros. */
function padFloats(job: Job, x: usize, free: usize): void {
  const group = job.group ? job.group : 32;
  const bytes = <usize>job.cols << 2;
  const padded = <usize>(ceilDiv(job.cols, group) * group) << 2;
  job.x = free;
  job.xStride = <i32>padded;
  for (let t: usize = 0; t < <usize>job.tokens; t++) {
    memory.copy(free + t * padded, x + t * bytes, bytes);
    memory.fill(free + t * padded + bytes, 0, padded - bytes);
  }
}
