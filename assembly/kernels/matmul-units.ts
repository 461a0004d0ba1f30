// One unit (64 rows) of each matrix product for all tokens of a job: vector kernels below four tokens, panels and tiles
// from four on. `scratch` belongs to the calling thread.

import { f32Vector } from "./f32";
import { int4F32Vector } from "./int4-f32";
import { int4I8Vector } from "./int4-i8";
import { int4PlanesVector } from "./int4-planes";
import { int8At, int8F32Vector, int8I8Vector } from "./int8";
import * as kinds from "./job";
import { Job, UNIT_ROWS, ceilDiv } from "./job";
import { FUSED, RELAXED, SIMD } from "./lanes";
import { int4Block, panelBlock } from "./matmul-panels";
import { scalarF32, scalarInt4F32, scalarInt4I8, scalarInt8F32, scalarInt8I8 } from "./scalar";

/** From this many tokens on weights are unpacked once and shared. */
export const PANEL_TOKENS: i32 = 4;

export function matmulUnit(job: Job, unit: i32, scratch: usize): void {
  while (unit >= job.ownUnits) {
    unit -= job.ownUnits;
    job = changetype<Job>(job.next);
  }
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
      if (RELAXED) {
        if (FUSED) {
          const unit = load<f32>(job.xSums + scaleAt);
          int4PlanesVector(int4Block(job, row), blocks, groups, job.group, job.offset, x, job.xScales + scaleAt, unit, acc);
          break;
        }
      }
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
