// Rows of an embedding table [vocab, cols], stored as f32, int8 ("t8") or int4 ("r8"), to f32.

import { OFFSET_BIAS, OFFSET_ZERO_U4, ceilDiv, recordBytes } from "./job";
import { fromHalf } from "./half";
import { int8At } from "./int8";

export function embedF32(table: usize, cols: i32, token: i32, out: usize): void {
  memory.copy(out, table + ((<usize>token * <usize>cols) << 2), <usize>cols << 2);
}

export function embedInt8(table: usize, scales: usize, cols: i32, token: i32, out: usize): void {
  const scale = load<f32>(scales + (<usize>token << 2));
  const padded = (cols + 31) & ~31;
  for (let c = 0; c < cols; c++) store<f32>(out + (<usize>c << 2), scale * <f32>load<i8>(int8At(table, padded, token, c)));
}

export function embedInt4(table: usize, cols: i32, group: i32, offset: i32, token: i32, out: usize): void {
  const groups = ceilDiv(cols, group);
  const bytes = <usize>recordBytes(group, offset);
  const row = token & 7;
  const record = table + <usize>(token >> 3) * <usize>groups * bytes + (row >= 4 ? 16 : 0) + ((row & 3) << 2);
  const meta = table + <usize>(token >> 3) * <usize>groups * bytes + (<usize>group << 2);
  for (let c = 0; c < cols; c++) {
    const g = c / group;
    const inside = c % group;
    const byte = load<u8>(record + <usize>g * bytes + (<usize>(inside >> 3) << 5) + (inside & 3));
    const code = <i32>(inside & 4 ? byte >> 4 : byte & 15);
    const at = meta + <usize>g * bytes;
    const scale = fromHalf(load<u16>(at + (row << 1)));
    let value = scale * <f32>code;
    if (offset == OFFSET_BIAS) value += fromHalf(load<u16>(at + 16 + (row << 1)));
    else value = scale * <f32>(code - (offset == OFFSET_ZERO_U4 ? <i32>load<u8>(at + 16 + row) : 8));
    store<f32>(out + (<usize>c << 2), value);
  }
}
