// Causal softmax attention of short sequences, for the error of a whole attention module in AWQ's search. One unit is one
// head of one sequence; heads share key and value heads in groups.

import { softmaxShare } from "../kernels/exp";
import { gemm } from "./gemm";
import { runTask, task } from "./pool";
import { at4, ATTEND, Task } from "./task";

/** q, out [tokens, heads * headDim], k, v [tokens, kvHeads * headDim]; spans: i32 [count, 2] = first token, tokens. */
export function attend(
  q: usize, k: usize, v: usize, out: usize, spans: usize, count: i32, heads: i32, kvHeads: i32, headDim: i32,
): void {
  const own = task();
  own.op = ATTEND;
  own.units = count * heads;
  own.p0 = q;
  own.p1 = k;
  own.p2 = v;
  own.p3 = out;
  own.p4 = spans;
  own.n0 = heads;
  own.n1 = kvHeads;
  own.n2 = headDim;
  runTask();
}

/** Scratch: [length, length] f32. */
export function attendUnit(own: Task, unit: i32, scratch: usize): void {
  const heads = own.n0;
  const headDim = own.n2;
  const span = own.p4 + (<usize>(unit / heads) << 3);
  const first = load<i32>(span);
  const length = load<i32>(span, 4);
  const head = unit % heads;
  const kvHead = head / (heads / own.n1);
  const stride = heads * headDim;
  const kvStride = own.n1 * headDim;
  const q = at4(own.p0, <usize>first * <usize>stride + <usize>(head * headDim));
  const kvAt = <usize>first * <usize>kvStride + <usize>(kvHead * headDim);
  gemm<f32, f32, f32>(
    length, length, headDim, q, stride, 1, at4(own.p1, kvAt), 1, kvStride, scratch, length, 1, false,
  );
  const scale = <f32>1 / sqrt<f32>(<f32>headDim);
  for (let i = 0; i < length; i++) softmaxRow(at4(scratch, <usize>(i * length)), i + 1, length, scale);
  const out = at4(own.p3, <usize>first * <usize>stride + <usize>(head * headDim));
  gemm<f32, f32, f32>(
    length, headDim, length, scratch, length, 1, at4(own.p2, kvAt), kvStride, 1, out, stride, 1, false,
  );
}

function softmaxRow(row: usize, seen: i32, length: i32, scale: f32): void {
  let peak = load<f32>(row);
  for (let j = 1; j < seen; j++) peak = max(peak, load<f32>(at4(row, j)));
  let total: f32 = 0;
  for (let j = 0; j < seen; j++) {
    const value = softmaxShare((load<f32>(at4(row, j)) - peak) * scale);
    store<f32>(at4(row, j), value);
    total += value;
  }
  for (let j = 0; j < seen; j++) store<f32>(at4(row, j), load<f32>(at4(row, j)) / total);
  for (let j = seen; j < length; j++) store<f32>(at4(row, j), 0);
}
