// Softmax attention over cached keys and values with grouped heads. One unit is one query head with all its rows.

import { expf } from "./exp";
import { Job } from "./job";
import * as kinds from "./job";
import { control, runJob } from "./jobs";
import { SIMD, madd, sumLanes } from "./lanes";

/** Multiply-adds from which other threads are woken. */
const PARALLEL_WORK: i64 = 1 << 17;

/** q, out [rows, heads * headDim]; k, v [context, kvHeads * headDim]; causal: row i sees keys 0 .. start + i. */
export function attention(
  q: usize, k: usize, v: usize, out: usize, rows: i32, start: i32, context: i32,
  heads: i32, kvHeads: i32, headDim: i32, causal: bool,
): void {
  const job = changetype<Job>(control() + 64);
  job.kind = kinds.KIND_ATTENTION;
  job.units = heads;
  job.x = q;
  job.k = k;
  job.v = v;
  job.out = out;
  job.rows = rows;
  job.start = start;
  job.context = context;
  job.heads = heads;
  job.kvHeads = kvHeads;
  job.headDim = headDim;
  job.causal = causal;
  runJob(job, <i64>rows * <i64>context * <i64>heads * <i64>headDim * 2 >= PARALLEL_WORK);
}

/** scores: f32 [context] of the calling thread. */
export function attentionUnit(job: Job, head: i32, scores: usize): void {
  const width = job.headDim;
  const stride = <usize>(job.kvHeads * width) << 2;
  const shared = <usize>((head / (job.heads / job.kvHeads)) * width) << 2;
  const scale = <f32>(1 / sqrt(<f64>width));
  for (let r = 0; r < job.rows; r++) {
    const seen = job.causal ? min(job.context, job.start + r + 1) : job.context;
    const at = (<usize>r * <usize>job.heads + <usize>head) * <usize>width << 2;
    let largest: f32 = -Infinity;
    for (let c = 0; c < seen; c++) {
      const score = dot(job.x + at, job.k + shared + <usize>c * stride, width) * scale;
      largest = max(largest, score);
      store<f32>(scores + (<usize>c << 2), score);
    }
    let sum: f64 = 0;
    for (let c = 0; c < seen; c++) {
      const value = expf(load<f32>(scores + (<usize>c << 2)) - largest);
      sum += value;
      store<f32>(scores + (<usize>c << 2), value);
    }
    mix(scores, <f32>(1 / sum), job.v + shared, stride, seen, job.out + at, width);
  }
}

function dot(a: usize, b: usize, count: i32): f32 {
  let i = 0;
  let sum: f32 = 0;
  if (SIMD) {
    let lanes = f32x4.splat(0);
    for (; i + 4 <= count; i += 4) lanes = madd(v128.load(a + (i << 2)), v128.load(b + (i << 2)), lanes);
    sum = sumLanes(lanes);
  }
  for (; i < count; i++) sum += load<f32>(a + (i << 2)) * load<f32>(b + (i << 2));
  return sum;
}

/** out[width] = scale * sum of scores[c] * v[c], v rows `stride` bytes apart. */
function mix(scores: usize, scale: f32, v: usize, stride: usize, seen: i32, out: usize, width: i32): void {
  let i = 0;
  if (SIMD) {
    for (; i + 4 <= width; i += 4) {
      let lanes = f32x4.splat(0);
      let from = v + (i << 2);
      for (let c = 0; c < seen; c++) {
        lanes = madd(v128.load32_splat(scores + (<usize>c << 2)), v128.load(from), lanes);
        from += stride;
      }
      v128.store(out + (i << 2), f32x4.mul(lanes, f32x4.splat(scale)));
    }
  }
  for (; i < width; i++) {
    let sum: f32 = 0;
    for (let c = 0; c < seen; c++) sum += load<f32>(scores + (<usize>c << 2)) * load<f32>(v + (i << 2) + <usize>c * stride);
    store<f32>(out + (i << 2), sum * scale);
  }
}
