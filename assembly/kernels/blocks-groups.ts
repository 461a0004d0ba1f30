// Blocks of Hugging Face checkpoints to f32, with f32 scales: bitsandbytes' NF4, and groups of 32 codes of 4 or 8 bits with an offset
// (MLX: scale * code + offset) or a zero point (GPTQ, ONNX: scale * (code - zero)). Layouts: core/packed.ts.

import { AFFINE4, AFFINE8, blockBytes, blockColumns, NF4, ZERO8 } from "./blocks";

/** The 16 quantiles of NF4 (Dettmers et al. 2023, bitsandbytes functional.py). */
const QUANTILES: StaticArray<f32> = [
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
];

/** `count` columns of a row, a multiple of the block's, to f32 at `out`. */
export function expandGroups(type: i32, from: usize, count: i32, out: usize): void {
  const columns = blockColumns(type);
  const bytes = <usize>blockBytes(type);
  for (let c = 0; c < count; c += columns) {
    if (type == NF4) expandNf4(from, out);
    else expandGroup(type, from, out);
    from += bytes;
    out += <usize>columns << 2;
  }
}

/** f32 largest magnitude, then 32 bytes of two codes, the first one in the high nibble. */
function expandNf4(from: usize, out: usize): void {
  const scale = load<f32>(from);
  for (let i: usize = 0; i < 32; i++) {
    const byte = <u32>load<u8>(from + i, 4);
    store<f32>(out + (i << 3), unchecked(QUANTILES[byte >> 4]) * scale);
    store<f32>(out + (i << 3), unchecked(QUANTILES[byte & 15]) * scale, 4);
  }
}

function expandGroup(type: i32, from: usize, out: usize): void {
  const scale = load<f32>(from);
  const offset = load<f32>(from, 4);
  const wide = type == AFFINE8 || type == ZERO8;
  const affine = type == AFFINE4 || type == AFFINE8;
  for (let i: usize = 0; i < 32; i++) {
    const code = <f32>(wide ? <u32>load<u8>(from + i, 8) : (<u32>load<u8>(from + (i >> 1), 8) >> <u32>((i & 1) << 2)) & 15);
    store<f32>(out + (i << 2), affine ? scale * code + offset : scale * (code - offset));
  }
}

export function finiteGroups(type: i32, from: usize, count: i32): bool {
  for (let c = 0; c < count; c += blockColumns(type)) {
    if (!isFinite(load<f32>(from)) || (type != NF4 && !isFinite(load<f32>(from, 4)))) return false;
    from += <usize>blockBytes(type);
  }
  return true;
}
