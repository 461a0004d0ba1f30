// Stored weights to plain f32, written from the layout's description in core/packed.ts alone: it shares nothing with
// the kernels that it is the judge of.

import { InputError } from "../../core/errors.js";
import type { TensorSpec } from "../../core/op.js";
import type { PackedInt4, WeightData } from "../../core/packed.js";
import { packedBlocksBytes, packedInt4Bytes, recordBytes } from "../../core/packed.js";
import { unpackBlocks } from "./blocks.js";
import { fromHalf } from "./half.js";

/** [rows, cols] f32 of packed 4-bit weights. */
export function unpackInt4(packed: PackedInt4): Float32Array {
  const { rows, cols, group, offset, codes } = packed;
  const values = new Float32Array(rows * cols);
  const view = new DataView(codes.buffer, codes.byteOffset, codes.byteLength);
  const groups = Math.ceil(cols / group);
  const record = recordBytes(group, offset);
  for (let row = 0; row < rows; row++) {
    const lane = row % 8;
    for (let col = 0; col < cols; col++) {
      const base = (Math.floor(row / 8) * groups + Math.floor(col / group)) * record;
      const inGroup = col % group;
      const inStep = inGroup % 8;
      // A step of 8 columns is two 16-byte vectors (rows 0-3, rows 4-7) of four 4-byte lanes.
      const at = base + Math.floor(inGroup / 8) * 32 + lane * 4 + (inStep % 4);
      const code = inStep < 4 ? codes[at] & 15 : codes[at] >> 4;
      const tail = base + group * 4;
      const scale = fromHalf(view.getUint16(tail + lane * 2, true));
      values[row * cols + col] = weight(code, scale, offset, view, tail + 16, lane);
    }
  }
  return values;
}

function weight(
  code: number,
  scale: number,
  offset: PackedInt4["offset"],
  view: DataView,
  at: number,
  lane: number,
): number {
  switch (offset) {
    case "none8":
      return scale * (code - 8);
    case "zeroU4":
      return scale * (code - view.getUint8(at + lane));
    case "bias":
      return scale * code + fromHalf(view.getUint16(at + lane * 2, true));
    default:
      return offset satisfies never;
  }
}

/** f32 values of an upload (rows `row`..), checked against the tensor it is meant for. Throws InputError where they differ. */
export function unpackWeights(spec: TensorSpec, data: WeightData, row = 0): Float32Array {
  const format = data.kind === "blocks" ? data.type : data.kind === "int4" ? `int4-g${data.group}` : data.kind;
  const whole = row === 0 && data.rows === spec.rows;
  const part = row % 8 === 0 && row + data.rows <= spec.rows && (data.rows % 8 === 0 || row + data.rows === spec.rows);
  if (format !== spec.format || !(whole || part) || data.cols !== spec.cols) {
    throw mismatch(spec, `${spec.format} [${spec.rows}, ${spec.cols}]`, `${format} [${data.rows}, ${data.cols}]`);
  }
  const { rows, cols } = data;
  switch (data.kind) {
    case "f32":
      checkSize(spec, data.values.length, rows * cols);
      return data.values.slice();
    case "int8":
      checkSize(spec, data.codes.length, rows * cols);
      return Float32Array.from(data.codes, (code, i) => code * data.scales[Math.floor(i / cols)]);
    case "int4":
      checkSize(spec, data.codes.length, packedInt4Bytes(rows, cols, data.group, data.offset));
      return unpackInt4(data);
    case "blocks":
      checkSize(spec, data.bytes.length, packedBlocksBytes(rows, cols, data.type));
      return unpackBlocks(data);
    default:
      return data satisfies never;
  }
}

function checkSize(spec: TensorSpec, got: number, want: number): void {
  if (got !== want) throw mismatch(spec, `${want} codes`, `${got}`);
}

function mismatch(spec: TensorSpec, expected: string, got: string): InputError {
  const remedy = "Quantize the tensor to the format of its spec, and pack all of it";
  return new InputError(spec.name, "upload", `expected ${expected}, got ${got}`, remedy);
}
