// f32 rows to int4 "r8" records with zero points, round to nearest, and how far two lists of numbers are apart: what
// writers of AutoAWQ and GGUF files need. The range of a group includes 0, as GPTQ's and ONNX Runtime's does.

import { OFFSET_ZERO_U4, ceilDiv, recordBytes } from "./job";
import { fromHalf, toHalf } from "./half";
import { setCode } from "./pack";

/** Largest finite half. */
const HALF_MAX: f32 = 65504;

/** `count` rows of values [count, cols] to records; cols is a multiple of group, the last block of rows is padded. */
export function packInt4Zero(values: usize, count: i32, cols: i32, group: i32, out: usize): void {
  const groups = cols / group;
  const bytes = <usize>recordBytes(group, OFFSET_ZERO_U4);
  for (let block = 0; block < count; block += 8) {
    for (let g = 0; g < groups; g++) {
      const meta = out + (<usize>group << 2);
      memory.fill(out, 0x88, <usize>group << 2);
      memory.fill(meta, 0, 16);
      memory.fill(meta + 16, 8, 8);
      memory.fill(meta + 24, 0, 8);
      for (let r = 0; r < min(8, count - block); r++) {
        packGroup(values + ((<usize>(block + r) * <usize>cols + <usize>(g * group)) << 2), group, out, meta, r);
      }
      out += bytes;
    }
  }
}

/** scale = (max - min) / 15 as a half, zero = -min / scale; codes round against that half, halves to even. */
function packGroup(from: usize, count: i32, record: usize, meta: usize, row: i32): void {
  let least: f32 = 0;
  let most: f32 = 0;
  for (let c = 0; c < count; c++) {
    const value = load<f32>(from + (<usize>c << 2));
    least = min(least, value);
    most = max(most, value);
  }
  const bits = toHalf(min((most - least) / 15, HALF_MAX));
  store<u16>(meta + (row << 1), bits);
  const scale = fromHalf(bits);
  if (scale == 0) return;
  const zero = max<f32>(min<f32>(nearest(-least / scale), 15), 0);
  store<u8>(meta + 16 + row, <u8>zero);
  for (let c = 0; c < count; c++) {
    const code = nearest(load<f32>(from + (<usize>c << 2)) / scale) + zero;
    setCode(record, row, c, <i32>max<f32>(min<f32>(code, 15), 0));
  }
}

/** Adds to f64 out[0..2]: the largest |written - wanted|, and the sums of its squares and of wanted squared. */
export function addDifference(wanted: usize, written: usize, count: i32, out: usize): void {
  let most = load<f64>(out);
  let squares = load<f64>(out, 8);
  let total = load<f64>(out, 16);
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const value = <f64>load<f32>(wanted + i);
    const apart = <f64>load<f32>(written + i) - value;
    most = max(most, abs(apart));
    squares += apart * apart;
    total += value * value;
  }
  store<f64>(out, most);
  store<f64>(out, squares, 8);
  store<f64>(out, total, 16);
}
