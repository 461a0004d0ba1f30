// binary16 and bfloat16 bits of scales. A scale must survive as the f16 of a record exactly, or its file is refused.

import type { DType } from "../core/tensor.js";

const float = new DataView(new ArrayBuffer(4));

/** binary16 bits of a number that is one exactly; -1 otherwise. */
function exactHalf(value: number): number {
  if (value === 0) return Object.is(value, -0) ? 0x8000 : 0;
  if (!Number.isFinite(value)) return -1;
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const units = size / 2 ** (exponent - 10);
  if (!Number.isInteger(units) || units >= 2048 || exponent > 15) return -1;
  return sign | (units < 1024 ? units : ((exponent + 15) << 10) | (units - 1024));
}

/** f16 bits of each of a tensor's numbers; null when one is not finite or no f16 exactly. */
export function halfBits(bytes: Uint8Array, dtype: DType): Uint16Array | null {
  if (dtype === "f16") {
    const bits = new Uint16Array(aligned(bytes), 0, bytes.length / 2);
    return bits.some((half) => (half & 0x7c00) === 0x7c00) ? null : bits;
  }
  const count = dtype === "f32" ? bytes.length / 4 : bytes.length / 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    if (dtype === "bf16") float.setUint32(0, view.getUint16(i * 2, true) << 16);
    const half = exactHalf(dtype === "bf16" ? float.getFloat32(0) : view.getFloat32(i * 4, true));
    if (half < 0) return null;
    bits[i] = half;
  }
  return bits;
}

/** Whether f16 holds every number of a tensor exactly; f16 tensors are not looked at. */
export function fitsHalf(bytes: Uint8Array, dtype: DType): boolean {
  if (dtype === "f16") return true;
  if (dtype !== "bf16") return halfBits(bytes, dtype) !== null;
  // One look-up a number: checkpoints of billions of weights have tens of millions of scales.
  fitting ??= Uint8Array.from({ length: 65536 }, (_, bits) => {
    float.setUint32(0, bits << 16);
    return exactHalf(float.getFloat32(0)) < 0 ? 0 : 1;
  });
  const table = fitting;
  return new Uint16Array(aligned(bytes), 0, bytes.length / 2).every((bits) => table[bits] === 1);
}

let fitting: Uint8Array | null = null;

/** A buffer that begins with these bytes. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return (bytes.byteOffset === 0 ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer;
}

/** Little-endian 32-bit words of bytes. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(aligned(bytes), 0, Math.floor(bytes.length / 4));
}

/** The number that binary16 bits stand for; infinities and NaN are not meant. */
export function fromHalfBits(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}
