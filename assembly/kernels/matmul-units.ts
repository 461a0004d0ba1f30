// One unit (64 rows) of each matrix product for all tokens of a job: vector kernels below four tokens, panels and tiles
// from four on. `scratch` belongs to the calling thread.

import { f32Panel, f32Vector } from "./f32";
import { int4F32Vector } from "./int4-f32";
import { int4I8Vector, takesBytes } from "./int4-i8";
import { unpackBytes, unpackFloats, unpackPairs, unpackScales } from "./int4-panel";
import { int8At, int8F32Vector, int8Floats, int8I8Vector } from "./int8";
import * as kinds from "./job";
import { Job, OFFSET_BIAS, TOKEN_TILE, UNIT_ROWS, ceilDiv, recordBytes } from "./job";
import { SIMD } from "./lanes";
import { scalarF32, scalarInt4F32, scalarInt4I8, scalarInt8F32, scalarInt8I8 } from "./scalar";
import { groupPairsNarrow, groupPairsWide, tileFloats } from "./tiles";
import { groupBytes } from "./tiles-bytes";

/** From this many tokens on weights are unpacked once and shared. */
export const PANEL_TOKENS: i32 = 4;

// Offsets in a thread's scratch: row sums f32 [128 tokens][8], group sums i32 [4][8], scales and offsets f32 [64 groups][8],
// a panel of 16 KiB.
const SUMS: usize = <usize>TOKEN_TILE * 32;
const SCALES: usize = SUMS + 128;
const BIASES: usize = SCALES + 2048;
const PANEL: usize = BIASES + 2048;
export const PANEL_END: usize = PANEL + 16384;
const PANEL_COLUMNS: i32 = 1024;
const FLOAT_COLUMNS: i32 = 512;

export function matmulUnit(job: Job, unit: i32, scratch: usize): void {
  const row = unit * UNIT_ROWS;
  const blocks = min(UNIT_ROWS / 8, ceilDiv(job.rows - row, 8));
  if (!SIMD) {
    for (let b = 0; b < blocks; b++) scalarBlock(job, row + b * 8, scratch);
  } else if (job.tokens < PANEL_TOKENS) {
    for (let t = 0; t < job.tokens; t++) {
      vectorRows(job, row, blocks, t, scratch);
      emit(job, scratch, t, row, min(blocks * 8, job.rows - row));
    }
  } else {
    for (let b = 0; b < blocks; b++) {
      memory.fill(scratch, 0, <usize>((job.tokens + 3) & ~3) << 5);
      panelBlock(job, row + b * 8, scratch);
      const count = min(8, job.rows - row - b * 8);
      for (let t = 0; t < job.tokens; t++) emit(job, scratch + (<usize>t << 5), t, row + b * 8, count);
    }
  }
}

/** out[token, row...] = acc (* row scale) (+ bias). */
function emit(job: Job, acc: usize, token: i32, row: i32, count: i32): void {
  const out = job.out + ((<usize>token * <usize>job.outStride + <usize>row) << 2);
  const scales = job.scales == 0 ? <usize>0 : job.scales + (<usize>row << 2);
  const bias = job.bias == 0 ? <usize>0 : job.bias + (<usize>row << 2);
  let r = 0;
  if (SIMD) {
    for (; r + 4 <= count; r += 4) {
      const at = <usize>r << 2;
      let value = v128.load(acc + at);
      if (scales) value = f32x4.mul(value, v128.load(scales + at));
      if (bias) value = f32x4.add(value, v128.load(bias + at));
      v128.store(out + at, value);
    }
  }
  for (; r < count; r++) {
    const at = <usize>r << 2;
    let value = load<f32>(acc + at);
    if (scales) value *= load<f32>(scales + at);
    if (bias) value += load<f32>(bias + at);
    store<f32>(out + at, value);
  }
}

/** Address of the first record of a block of rows. */
// @ts-ignore: decorator
@inline
function int4Block(job: Job, row: i32): usize {
  const records = <usize>(row >> 3) * <usize>ceilDiv(job.cols, job.group);
  return job.weight + records * <usize>recordBytes(job.group, job.offset);
}

function vectorRows(job: Job, row: i32, blocks: i32, token: i32, acc: usize): void {
  const x = job.x + <usize>token * <usize>job.xStride;
  const padded = (job.cols + 31) & ~31;
  const groups = job.group ? ceilDiv(job.cols, job.group) : 0;
  const scaleAt = <usize>(token * (groups ? groups : padded >> 5)) << 2;
  switch (job.kind) {
    case kinds.KIND_INT4_I8:
      int4I8Vector(int4Block(job, row), blocks, groups, job.group, job.offset, x, job.xScales + scaleAt, job.xSums + scaleAt, acc);
      break;
    case kinds.KIND_INT4_F32:
      int4F32Vector(int4Block(job, row), blocks, groups, job.group, job.offset, x, job.xSums + scaleAt, acc);
      break;
    case kinds.KIND_INT8_I8:
      int8I8Vector(int8At(job.weight, padded, row, 0), blocks, padded, x, job.xScales + scaleAt, acc);
      break;
    case kinds.KIND_INT8_F32:
      int8F32Vector(int8At(job.weight, padded, row, 0), blocks, padded, x, acc);
      break;
    default:
      f32Vector(job.weight + ((<usize>row * <usize>job.cols) << 2), min(blocks * 8, job.rows - row), job.cols, x, acc);
  }
}

/** One block of rows for all tokens; acc f32 [tokens][8] at the start of the scratch, zeroed. */
function panelBlock(job: Job, row: i32, scratch: usize): void {
  if (job.kind == kinds.KIND_INT4_I8) int4Panels(job, row, scratch);
  else if (job.kind == kinds.KIND_INT8_I8) int8Panels(job, row, scratch);
  else floatPanels(job, row, scratch);
}

/** x of a token; tokens past the last repeat it (their sums are not used). */
// @ts-ignore: decorator
@inline
function tokenX(job: Job, token: i32, byte: i32): usize {
  return job.x + <usize>min(token, job.tokens - 1) * <usize>job.xStride + <usize>byte;
}

function floatPanels(job: Job, row: i32, scratch: usize): void {
  const panel = scratch + PANEL;
  for (let first = 0; first < job.cols; first += FLOAT_COLUMNS) {
    const k = min(FLOAT_COLUMNS, job.cols - first);
    if (job.kind == kinds.KIND_INT4_F32) {
      const groups = ceilDiv(k, job.group);
      const record = int4Block(job, row) + <usize>(first / job.group) * <usize>recordBytes(job.group, job.offset);
      unpackFloats(record, groups, job.group, job.offset, panel);
    } else if (job.kind == kinds.KIND_INT8_F32) {
      int8Floats(int8At(job.weight, (job.cols + 31) & ~31, row, first), k, panel);
    } else {
      const from = job.weight + ((<usize>row * <usize>job.cols + <usize>first) << 2);
      f32Panel(from, min(8, job.rows - row), job.cols, k, panel);
    }
    for (let t = 0; t < job.tokens; t += 4) {
      const at = first << 2;
      const acc = scratch + (<usize>t << 5);
      tileFloats(panel, k, tokenX(job, t, at), tokenX(job, t + 1, at), tokenX(job, t + 2, at), tokenX(job, t + 3, at), acc);
    }
  }
}

function int4Panels(job: Job, row: i32, scratch: usize): void {
  const group = job.group;
  const allGroups = ceilDiv(job.cols, group);
  const panelGroups = PANEL_COLUMNS / group;
  const bytes = takesBytes(job.offset);
  const width = bytes ? 1 : 2;
  const panelGroupBytes = <usize>group << (bytes ? 3 : 4);
  for (let first = 0; first < allGroups; first += panelGroups) {
    const groups = min(panelGroups, allGroups - first);
    const record = int4Block(job, row) + <usize>first * <usize>recordBytes(group, job.offset);
    unpackScales(record, groups, group, job.offset, scratch + SCALES, scratch + BIASES);
    if (bytes) unpackBytes(record, groups, group, scratch + PANEL);
    else unpackPairs(record, groups, group, job.offset, scratch + PANEL);
    for (let t = 0; t < job.tokens; t += 4) {
      const at = first * group * width;
      const x0 = tokenX(job, t, at);
      const x1 = tokenX(job, t + 1, at);
      const x2 = tokenX(job, t + 2, at);
      const x3 = tokenX(job, t + 3, at);
      let panel = scratch + PANEL;
      for (let g = 0; g < groups; g++) {
        const step = <usize>(g * group * width);
        const meta = <usize>((t >> 2) * allGroups + first + g) << 4;
        const acc = scratch + (<usize>t << 5);
        const scales = scratch + SCALES + (<usize>g << 5);
        if (bytes) {
          groupBytes(
            panel, group, x0 + step, x1 + step, x2 + step, x3 + step,
            acc, scales, job.xScales + meta, job.xSums + meta, scratch + SUMS,
          );
        } else {
          groupPairsWide(panel, group, x0 + step, x1 + step, x2 + step, x3 + step, acc, scales, job.xScales + meta);
        }
        if (job.offset == OFFSET_BIAS) addOffsets(acc, scratch + BIASES + (<usize>g << 5), job.xScales + meta, job.xSums + meta);
        panel += panelGroupBytes;
      }
    }
  }
}

/** acc[4 tokens][8] += (offset * xScale) * xSum of one group. */
function addOffsets(acc: usize, offsets: usize, xScales: usize, xSums: usize): void {
  for (let i = 0; i < 4; i++) {
    const xScale = v128.load32_splat(xScales);
    const sum = f32x4.convert_i32x4_s(v128.load32_splat(xSums));
    const low = f32x4.mul(f32x4.mul(v128.load(offsets), xScale), sum);
    const high = f32x4.mul(f32x4.mul(v128.load(offsets, 16), xScale), sum);
    v128.store(acc, f32x4.add(v128.load(acc), low));
    v128.store(acc, f32x4.add(v128.load(acc, 16), high), 16);
    acc += 32;
    xScales += 4;
    xSums += 4;
  }
}

function int8Panels(job: Job, row: i32, scratch: usize): void {
  const padded = (job.cols + 31) & ~31;
  const groups = padded >> 5;
  const block = int8At(job.weight, padded, row, 0);
  for (let t = 0; t < job.tokens; t += 4) {
    const x0 = tokenX(job, t, 0);
    const x1 = tokenX(job, t + 1, 0);
    const x2 = tokenX(job, t + 2, 0);
    const x3 = tokenX(job, t + 3, 0);
    const acc = scratch + (<usize>t << 5);
    for (let g = 0; g < groups; g++) {
      const at = <usize>g << 6;
      const meta = job.xScales + (<usize>((t >> 2) * groups + g) << 4);
      groupPairsNarrow(block + (<usize>g << 8), 32, x0 + at, x1 + at, x2 + at, x3 + at, acc, meta);
    }
  }
}

function scalarBlock(job: Job, row: i32, acc: usize): void {
  const padded = (job.cols + 31) & ~31;
  const groups = job.group ? ceilDiv(job.cols, job.group) : 0;
  const count = min(8, job.rows - row);
  for (let t = 0; t < job.tokens; t++) {
    const x = job.x + <usize>t * <usize>job.xStride;
    const at = <usize>(t * (groups ? groups : padded >> 5)) << 2;
    switch (job.kind) {
      case kinds.KIND_INT4_I8:
        scalarInt4I8(int4Block(job, row), groups, job.group, job.offset, x, job.xScales + at, job.xSums + at, acc);
        break;
      case kinds.KIND_INT4_F32:
        scalarInt4F32(int4Block(job, row), groups, job.group, job.offset, x, job.xSums + at, acc);
        break;
      case kinds.KIND_INT8_I8:
        scalarInt8I8(int8At(job.weight, padded, row, 0), padded, x, job.xScales + at, acc);
        break;
      case kinds.KIND_INT8_F32:
        scalarInt8F32(int8At(job.weight, padded, row, 0), padded, x, acc);
        break;
      default:
        scalarF32(job.weight + ((<usize>row * <usize>job.cols) << 2), count, job.cols, x, acc);
    }
    emit(job, acc, t, row, count);
  }
}
