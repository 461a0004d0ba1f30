// Bytes of a file to f32 values. The only place that knows how f16 and bf16 look; refuses what is not a finite number,
// since one NaN weight makes every answer NaN without a word.

import { InputError } from "../core/errors.js";
import { type DType, elementCount, type LazyTensor } from "../core/tensor.js";

/** Every binary16 value as f32, made once: a look-up is faster than taking each number apart. */
let halfTable: Float32Array | null = null;

function halves(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return halfTable;
}

/** OCP 8-bit floats (Micikevicius et al. 2022): E4M3 has no infinities and its largest code is NaN; E5M2 is a cut f16. */
function eighthFloats(codes: Uint8Array, dtype: "f8e4m3" | "f8e5m2"): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, code) => {
    if (dtype === "f8e5m2") return halves()[code << 8];
    const sign = code & 0x80 ? -1 : 1;
    const exponent = (code >> 3) & 15;
    const fraction = code & 7;
    if (exponent === 15 && fraction === 7) return Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10));
  });
  return Float32Array.from(codes, (code) => table[code]);
}

/**
 * f32 values of little-endian bytes, or null for a type that holds no weights.
 * bf16 is the upper half of a f32 (Kalamkar et al. 2019), f16 is IEEE 754 binary16.
 */
export function toFloat32(bytes: Uint8Array, dtype: DType): Float32Array | null {
  // A fresh copy starts at a multiple of every element's size; typed arrays are little-endian on all hosts of V8 & Co.
  const { buffer } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const at = bytes.byteOffset % 8 === 0 ? bytes.byteOffset : 0;
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer, at, bytes.length / 4);
    case "f16": {
      const table = halves();
      const words = new Uint16Array(buffer, at, bytes.length / 2);
      const values = new Float32Array(words.length);
      for (let i = 0; i < values.length; i++) values[i] = table[words[i]];
      return values;
    }
    case "bf16": {
      const words = Uint32Array.from(new Uint16Array(buffer, at, bytes.length / 2));
      for (let i = 0; i < words.length; i++) words[i] <<= 16;
      return new Float32Array(words.buffer);
    }
    case "f8e4m3":
    case "f8e5m2":
      return eighthFloats(new Uint8Array(buffer, at, bytes.length), dtype);
    case "f64":
      return Float32Array.from(new Float64Array(buffer, at, bytes.length / 8));
    case "i64":
    case "i32":
    case "i16":
    case "i8":
    case "u64":
    case "u32":
    case "u16":
    case "u8":
    case "bool":
      return null;
    default:
      return dtype satisfies never;
  }
}

/** Reads a whole tensor as f32, row-major. Throws InputError for integer tensors and for NaN or infinite values. */
export async function readFloat32(tensor: LazyTensor): Promise<Float32Array> {
  const bytes = await tensor.source.read(tensor.offset, tensor.byteLength);
  const values = toFloat32(bytes, tensor.dtype);
  const fail = (problem: string, remedy: string) => new InputError(tensor.source.name, tensor.name, problem, remedy);
  if (!values) throw fail(`holds ${tensor.dtype}, weights must be f8, f16, bf16, f32 or f64`, "Convert the checkpoint");
  if (values.length !== elementCount(tensor.shape)) {
    throw fail(`has ${values.length} values, its shape [${tensor.shape}] needs another number`, "Get the file again");
  }
  const bad = firstNonFinite(values);
  if (bad >= 0) throw fail(`value ${bad} is ${values[bad]}`, "Get the file again or another checkpoint");
  return values;
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}
