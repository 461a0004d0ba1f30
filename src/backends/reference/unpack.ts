// Stored weights to plain f32, written from the layout's description in core/packed.ts alone: it shares nothing with
// the kernels that it is the judge of.

import { InputError } from "../../core/errors.js";
import type { TensorSpec } from "../../core/op.js";
import type { PackedInt4, WeightData } from "../../core/packed.js";
import { packedInt4Bytes, recordBytes } from "../../core/packed.js";

/** IEEE 754 binary16 to a number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

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

/** f32 values of an upload, checked against the tensor it is meant for. Throws InputError where they differ. */
export function unpackWeights(spec: TensorSpec, data: WeightData): Float32Array {
  const format = data.kind === "int4" ? `int4-g${data.group}` : data.kind;
  if (format !== spec.format || data.rows !== spec.rows || data.cols !== spec.cols) {
    throw new InputError(
      spec.name,
      "upload",
      `expected ${spec.format} [${spec.rows}, ${spec.cols}], got ${format} [${data.rows}, ${data.cols}]`,
      "Quantize the tensor to the format of its spec",
    );
  }
  checkSize(spec, data);
  switch (data.kind) {
    case "f32":
      return data.values.slice();
    case "int8":
      return Float32Array.from(data.codes, (code, i) => code * data.scales[Math.floor(i / data.cols)]);
    case "int4":
      return unpackInt4(data);
    default:
      return data satisfies never;
  }
}

function checkSize(spec: TensorSpec, data: WeightData): void {
  const got = data.kind === "f32" ? data.values.length : data.codes.length;
  const want =
    data.kind === "int4" ? packedInt4Bytes(data.rows, data.cols, data.group, data.offset) : data.rows * data.cols;
  if (got !== want) {
    throw new InputError(spec.name, "upload", `expected ${want} codes, got ${got}`, "Pack the whole matrix");
  }
}
