// One block of eight rows for all tokens of a job: weights unpacked once to a panel in a thread's scratch, then tiles of four
// tokens.

import { f32Panel } from "./f32";
import { unpackBytes, unpackFloats, unpackPairs, unpackScales, unpackSigned } from "./int4-panel";
import { int8At, int8Floats } from "./int8";
import * as kinds from "./job";
import { Job, OFFSET_BIAS, OFFSET_NONE8, TOKEN_TILE, ceilDiv, recordBytes } from "./job";
import { FUSED, RELAXED } from "./lanes";
import { addOffsets, groupPairsNarrow, groupPairsWide, tileFloats } from "./tiles";
import { groupBytes } from "./tiles-bytes";
import { BYTE_SHIFT, PLANES_SHIFT, tileDots, tilePlanes, tileTokens } from "./tiles-dots";

// Offsets in a thread's scratch: row sums f32 [128 tokens][8], group sums i32 [4][8] or f32 [6][8], scales and offsets f32 [64 groups][8],
// starts i32 [64 pieces][8], a panel of 16 KiB.
const SUMS: usize = <usize>TOKEN_TILE * 32;
const SCALES: usize = SUMS + 192;
const BIASES: usize = SCALES + 2048;
const STARTS: usize = BIASES + 2048;
const PANEL: usize = STARTS + 2048;
export const PANEL_END: usize = PANEL + 16384;
const PANEL_COLUMNS: i32 = 1024;
const FLOAT_COLUMNS: i32 = 512;
/** f32 sums of so many products begin at 0, and are then added up: f32 rounds a short sum less. */
const SHORT_COLUMNS: i32 = 128;

/** Address of the first record of a block of rows. */
// @ts-ignore: decorator
@inline
export function int4Block(job: Job, row: i32): usize {
  const records = <usize>(row >> 3) * <usize>ceilDiv(job.cols, job.group);
  return job.weight + records * <usize>recordBytes(job.group, job.offset);
}

/** One block of rows for all tokens; acc f32 [tokens][8] at the start of the scratch, zeroed. */
export function panelBlock(job: Job, row: i32, scratch: usize): void {
  const int4 = job.kind == kinds.KIND_INT4_I8 || job.kind == kinds.KIND_INT4_F32;
  if (RELAXED && FUSED && int4) dotPanels(job, row, scratch);
  else if (job.kind == kinds.KIND_INT4_I8) int4Panels(job, row, scratch);
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
      for (let c = 0; c < k; c += SHORT_COLUMNS) {
        const at = (first + c) << 2;
        const acc = scratch + (<usize>t << 5);
        // The first sums go where they belong: there they begin at 0 too.
        const to = at == 0 ? acc : scratch + SUMS;
        const part = panel + (<usize>c << 5);
        const count = min(SHORT_COLUMNS, k - c);
        if (at > 0) memory.fill(to, 0, 128);
        tileFloats(part, count, tokenX(job, t, at), tokenX(job, t + 1, at), tokenX(job, t + 2, at), tokenX(job, t + 3, at), to);
        if (at > 0) addTile(acc, to);
      }
    }
  }
}

/** f32 [4][8] += f32 [4][8] */
function addTile(to: usize, from: usize): void {
  for (const end = to + 128; to < end; to += 16) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    from += 16;
  }
}

/** int4 weights of any offset with int8 activations, or at f32 grade, by dots. */
function dotPanels(job: Job, row: i32, scratch: usize): void {
  const group = job.group;
  const planes = job.kind == kinds.KIND_INT4_F32;
  const piece = planes ? min(group, 32) : group;
  const allGroups = ceilDiv(job.cols, group);
  const panelGroups = PANEL_COLUMNS / group;
  const panel = scratch + PANEL;
  const starts = scratch + STARTS;
  const scales = scratch + SCALES;
  const offsets = job.offset == OFFSET_BIAS ? scratch + BIASES : 0;
  for (let first = 0; first < allGroups; first += panelGroups) {
    const groups = min(panelGroups, allGroups - first);
    const record = int4Block(job, row) + <usize>first * <usize>recordBytes(group, job.offset);
    unpackScales(record, groups, group, job.offset, scales, scratch + BIASES);
    unpackSigned(record, groups, group, job.offset, piece, planes ? PLANES_SHIFT : BYTE_SHIFT, panel, starts);
    const all = (job.tokens + 1) & ~1;
    for (let t = 0, count = 0; t < all; t += count) {
      count = tileTokens(all - t);
      const x = job.x + <usize>t * <usize>job.xStride + <usize>(first * group * count) * (planes ? 3 : 1);
      const meta = <usize>(t * allGroups + first * count) << 2;
      const acc = scratch + (<usize>t << 5);
      const xScales = job.xScales + meta;
      const xSums = job.xSums + meta;
      if (planes) tilePlanes(count, panel, groups, group, x, acc, starts, scales, xScales, offsets, xSums, scratch + SUMS);
      else tileDots(count, panel, groups, group, x, acc, starts, scales, xScales, offsets, xSums);
    }
  }
}

/** int4 weights with int8 activations without such dots: bytes for symmetric weights of relaxed builds, else pairs. */
function int4Panels(job: Job, row: i32, scratch: usize): void {
  const group = job.group;
  const allGroups = ceilDiv(job.cols, group);
  const panelGroups = PANEL_COLUMNS / group;
  const bytes = RELAXED && job.offset == OFFSET_NONE8;
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
        if (job.offset == OFFSET_BIAS) addOffsets(acc, scratch + BIASES + (<usize>g << 5), job.xScales + meta, job.xSums + meta, 4);
        panel += panelGroupBytes;
      }
    }
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
