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
    // A plain loop: checkpoints of billions of weights have tens of millions of scales.
    for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7c00) === 0x7c00) return null;
    return bits;
  }
  if (dtype === "bf16") {
    const [from, table] = [new Uint16Array(aligned(bytes), 0, bytes.length / 2), halvesOfBf16()];
    const bits = new Uint16Array(from.length);
    for (let i = 0; i < bits.length; i++) {
      if (table[from[i]] < 0) return null;
      bits[i] = table[from[i]];
    }
    return bits;
  }
  const from = new Float32Array(aligned(bytes), 0, bytes.length / 4);
  const bits = new Uint16Array(from.length);
  for (let i = 0; i < bits.length; i++) {
    const half = exactHalf(from[i]);
    if (half < 0) return null;
    bits[i] = half;
  }
  return bits;
}

/** Whether f16 holds every number of a tensor exactly; f16 tensors are not looked at. */
export function fitsHalf(bytes: Uint8Array, dtype: DType): boolean {
  if (dtype === "f16") return true;
  if (dtype !== "bf16") return halfBits(bytes, dtype) !== null;
  const [from, table] = [new Uint16Array(aligned(bytes), 0, bytes.length / 2), halvesOfBf16()];
  for (let i = 0; i < from.length; i++) if (table[from[i]] < 0) return false;
  return true;
}

let halfTable: Int32Array | null = null;

/** f16 bits of every bf16 number, or -1: one look-up a number. */
function halvesOfBf16(): Int32Array {
  halfTable ??= Int32Array.from({ length: 65536 }, (_, bits) => {
    float.setUint32(0, bits << 16);
    return exactHalf(float.getFloat32(0));
  });
  return halfTable;
}

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
