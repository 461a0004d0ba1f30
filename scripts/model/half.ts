// f32 to IEEE 754 binary16, rounded to nearest, ties to even: how the shipped weights are stored.

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** The binary16 bits of one f32 value; too large values become infinite. */
export function halfBits(x: number): number {
  value[0] = x;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = Math.abs(value[0]);
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 2 ** -24)));
  const scaled = magnitude / 2 ** (exponent - 10);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // A normal value has 1024 <= rounded <= 2048: its implicit bit and a carry both add to the exponent field.
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded);
}

/** Little-endian binary16 bytes of f32 values. */
export function halfBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, halfBits).buffer);
}
