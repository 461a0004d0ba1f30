// Softmax attention over cached keys and values with grouped heads. Few rows: one unit is one query head with all its rows,
// and its scores are kept whole. Four and more rows over many positions: attention-tiles.ts.

import { softmaxShare, softmaxShares } from "./exp";
import { attentionTiles, takesTiles, tileUnits } from "./attention-tiles";
import { Job } from "./job";
import * as kinds from "./job";
import { control, runJob } from "./jobs";
import { mixInt8, scoreInt8 } from "./kv-int8";
import { SIMD, madd, sumLanes } from "./lanes";

/** Multiply-adds from which other threads are woken. */
const PARALLEL_WORK: i64 = 1 << 17;

/** q, out [rows, heads * headDim]; k, v [context, kvHeads * headDim]; causal: row i sees keys 0 .. start + i. */
export function attention(
  q: usize, k: usize, v: usize, out: usize, rows: i32, start: i32, context: i32,
  heads: i32, kvHeads: i32, headDim: i32, causal: bool,
): void {
  attentionInt8(q, k, v, 0, 0, 0, out, rows, start, context, heads, kvHeads, headDim, causal);
}

/** The same over int8 codes and f16 scales of caches of `capacity` positions (kv-int8.ts). */
export function attentionInt8(
  q: usize, k: usize, v: usize, kScales: usize, vScales: usize, capacity: i32, out: usize, rows: i32, start: i32, context: i32,
  heads: i32, kvHeads: i32, headDim: i32, causal: bool,
): void {
  const job = changetype<Job>(control() + 64);
  job.kind = kinds.KIND_ATTENTION;
  job.x = q;
  job.k = k;
  job.v = v;
  job.kScales = kScales;
  job.vScales = vScales;
  job.capacity = capacity;
  job.out = out;
  job.rows = rows;
  job.start = start;
  job.context = context;
  job.heads = heads;
  job.kvHeads = kvHeads;
  job.headDim = headDim;
  job.causal = causal;
  job.units = heads;
  if (SIMD) {
    if (takesTiles(job)) job.units = tileUnits(job);
  }
  runJob(job, <i64>rows * <i64>context * <i64>heads * <i64>headDim * 2 >= PARALLEL_WORK);
}

export function attentionUnit(job: Job, unit: i32, scratch: usize): void {
  if (SIMD) {
    if (takesTiles(job)) return attentionTiles(job, unit, scratch);
  }
  attentionHead(job, unit, scratch);
}

/** One query head with all its rows, one row at a time; scores: f32 [context] of the calling thread. */
function attentionHead(job: Job, head: i32, scores: usize): void {
  const width = job.headDim;
  const keyHead = head / (job.heads / job.kvHeads);
  const stride = <usize>(job.kvHeads * width) << 2;
  const shared = <usize>(keyHead * width) << 2;
  const row = <usize>keyHead * <usize>job.capacity;
  const scale = <f32>(1 / sqrt(<f64>width));
  for (let r = 0; r < job.rows; r++) {
    const seen = job.causal ? min(job.context, job.start + r + 1) : job.context;
    const at = (<usize>r * <usize>job.heads + <usize>head) * <usize>width << 2;
    if (job.kScales) scoreInt8(job.x + at, job.k, job.kScales, row, seen, width, scale, scores);
    else score(job.x + at, job.k + shared, stride, seen, width, scale, scores);
    const sum = powers(scores, seen);
    if (job.kScales) mixInt8(scores, 1 / sum, job.v, job.vScales, row, seen, job.out + at, width);
    else mix(scores, 1 / sum, job.v + shared, stride, seen, job.out + at, width);
  }
}

/** scores[c] = scale * q . k[c], k rows `stride` bytes apart. */
function score(q: usize, k: usize, stride: usize, seen: i32, width: i32, scale: f32, scores: usize): void {
  for (let c = 0; c < seen; c++) {
    store<f32>(scores + (<usize>c << 2), dot(q, k, width) * scale);
    k += stride;
  }
}

/** Products of 16 columns at a time in four independent sums. */
// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, count: i32): f32 {
  let i = 0;
  let sum: f32 = 0;
  if (SIMD) {
    let first = f32x4.splat(0);
    let second = first;
    let third = first;
    let fourth = first;
    for (; i + 16 <= count; i += 16) {
      first = madd(v128.load(a), v128.load(b), first);
      second = madd(v128.load(a, 16), v128.load(b, 16), second);
      third = madd(v128.load(a, 32), v128.load(b, 32), third);
      fourth = madd(v128.load(a, 48), v128.load(b, 48), fourth);
      a += 64;
      b += 64;
    }
    sum = sumLanes(f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth)));
  }
  for (; i < count; i++) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}

/** scores = e^(scores - their largest); gives their sum. */
function powers(scores: usize, count: i32): f32 {
  let i = 0;
  let largest: f32 = -Infinity;
  let sum: f32 = 0;
  if (SIMD) {
    let most = f32x4.splat(-Infinity);
    for (; i + 4 <= count; i += 4) most = f32x4.max(most, v128.load(scores + (<usize>i << 2)));
    largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
  }
  for (; i < count; i++) largest = max(largest, load<f32>(scores + (<usize>i << 2)));
  i = 0;
  if (SIMD) {
    const top = f32x4.splat(largest);
    let total = f32x4.splat(0);
    for (; i + 4 <= count; i += 4) {
      const at = scores + (<usize>i << 2);
      const value = softmaxShares(f32x4.sub(v128.load(at), top));
      total = f32x4.add(total, value);
      v128.store(at, value);
    }
    sum = sumLanes(total);
  }
  for (; i < count; i++) {
    const at = scores + (<usize>i << 2);
    const value = softmaxShare(load<f32>(at) - largest);
    sum += value;
    store<f32>(at, value);
  }
  return sum;
}

/** out[width] = scale * sum of scores[c] * v[c], v rows `stride` bytes apart; 16 columns at a time, then one. */
function mix(scores: usize, scale: f32, v: usize, stride: usize, seen: i32, out: usize, width: i32): void {
  const end = scores + (<usize>seen << 2);
  let i = 0;
  if (SIMD) {
    const factor = f32x4.splat(scale);
    for (; i + 16 <= width; i += 16) {
      let first = f32x4.splat(0);
      let second = first;
      let third = first;
      let fourth = first;
      let from = v + (i << 2);
      for (let at = scores; at < end; at += 4) {
        const share = v128.load32_splat(at);
        first = madd(share, v128.load(from), first);
        second = madd(share, v128.load(from, 16), second);
        third = madd(share, v128.load(from, 32), third);
        fourth = madd(share, v128.load(from, 48), fourth);
        from += stride;
      }
      const to = out + (i << 2);
      v128.store(to, f32x4.mul(first, factor));
      v128.store(to, f32x4.mul(second, factor), 16);
      v128.store(to, f32x4.mul(third, factor), 32);
      v128.store(to, f32x4.mul(fourth, factor), 48);
    }
  }
  for (; i < width; i++) {
    let sum: f32 = 0;
    let from = v + (i << 2);
    for (let at = scores; at < end; at += 4) {
      sum += load<f32>(at) * load<f32>(from);
      from += stride;
    }
    store<f32>(out + (i << 2), sum * scale);
  }
}
