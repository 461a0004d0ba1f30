// Weights in blocks as a file has them (src/core/packed.ts lists the types in the order of TYPE; layouts after ggml-quants.c of
// llama.cpp, bitsandbytes functional.py): each weight is taken apart when it is multiplied.

@group(1) @binding(0) var<storage, read> weights: array<u32>;

const IQ4_NL = array<f32, 16>(-127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0);

/// Quantiles of the normal distribution (Dettmers et al. 2023).
const NF4 = array<f32, 16>(
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
);

fn byteAt(at: u32) -> u32 {
  return extractBits(weights[at / 4u], 8u * (at % 4u), 8u);
}

fn signedByteAt(at: u32) -> i32 {
  return extractBits(bitcast<i32>(weights[at / 4u]), 8u * (at % 4u), 8u);
}

fn halfAt(at: u32) -> f32 {
  return unpack2x16float(extractBits(weights[at / 4u], 8u * (at % 4u), 16u)).x;
}

fn singleAt(at: u32) -> f32 {
  return bitcast<f32>(weights[at / 4u]);
}

/// Low nibbles of 16 bytes, then the high ones.
fn nibble(at: u32, i: u32) -> u32 {
  return extractBits(byteAt(at + i % 16u), 4u * (i / 16u), 4u);
}

/// Bit i of 32.
fn bitAt(at: u32, i: u32) -> u32 {
  return extractBits(byteAt(at + i / 8u), i % 8u, 1u);
}

/// Two codes a byte, the first one low, behind two f32.
fn sequential(at: u32, i: u32) -> f32 {
  return f32(extractBits(byteAt(at + 8u + i / 2u), 4u * (i % 2u), 4u));
}

/// The 6-bit scale and minimum of sub-block j of Q4_K and Q5_K.
fn scaleK(at: u32, j: u32) -> vec2<f32> {
  if (j < 4u) { return vec2(f32(byteAt(at + 4u + j) & 63u), f32(byteAt(at + 8u + j) & 63u)); }
  let low = byteAt(at + 8u + j);
  return vec2(
    f32((low & 15u) | ((byteAt(at + j) >> 6u) << 4u)),
    f32((low >> 4u) | ((byteAt(at + 4u + j) >> 6u) << 4u)),
  );
}

fn affineK(at: u32, i: u32, code: u32) -> f32 {
  let scale = scaleK(at, i / 32u);
  return halfAt(at) * scale.x * f32(code) - halfAt(at + 2u) * scale.y;
}

/// Byte i % 32 of chunk i / 64; low nibbles for the first 32 of a chunk, high ones for the rest.
fn nibbleK(at: u32, i: u32) -> u32 {
  return extractBits(byteAt(at + i / 64u * 32u + i % 32u), select(4u, 0u, i % 64u < 32u), 4u);
}

/// Two bits of Q2_K and Q3_K: 32 bytes hold 128 codes, 32 by 32 at rising shifts.
fn pairAt(at: u32, i: u32) -> u32 {
  return extractBits(byteAt(at + i / 128u * 32u + i % 32u), 2u * (i / 32u % 4u), 2u);
}

fn q2(at: u32, i: u32) -> f32 {
  let scale = byteAt(at + i / 16u);
  return halfAt(at + 80u) * f32(scale & 15u) * f32(pairAt(at + 16u, i)) - halfAt(at + 82u) * f32(scale >> 4u);
}

fn q3(at: u32, i: u32) -> f32 {
  let g = i / 16u;
  let low = extractBits(byteAt(at + 96u + g % 8u), 4u * (g / 8u), 4u);
  let high = extractBits(byteAt(at + 104u + g % 4u), 2u * (g / 4u), 2u);
  let code = i32(pairAt(at + 32u, i)) - select(4, 0, extractBits(byteAt(at + i % 32u), i / 32u, 1u) == 1u);
  return halfAt(at + 108u) * f32(i32(low | (high << 4u)) - 32) * f32(code);
}

fn q6(at: u32, i: u32) -> f32 {
  let part = i / 128u;
  let quarter = i / 32u % 4u;
  let low = extractBits(byteAt(at + part * 64u + quarter % 2u * 32u + i % 32u), 4u * (quarter / 2u), 4u);
  let high = extractBits(byteAt(at + 128u + part * 32u + i % 32u), 2u * quarter, 2u);
  return halfAt(at + 208u) * f32(signedByteAt(at + 192u + i / 16u)) * f32(i32(low | (high << 4u)) - 32);
}

fn weightAt(row: u32, col: u32) -> f32 {
  let at = (row * (p.cols / BLOCK_COLUMNS) + col / BLOCK_COLUMNS) * BLOCK_BYTES;
  let i = col % BLOCK_COLUMNS;
  switch TYPE {
    case 0u: { return halfAt(at); }
    case 1u: { return bitcast<f32>(extractBits(weights[at / 4u], 8u * (at % 4u), 16u) << 16u); }
    case 2u: { return halfAt(at) * f32(i32(nibble(at + 6u, i) | (bitAt(at + 2u, i) << 4u)) - 16); }
    case 3u: { return halfAt(at) * f32(nibble(at + 8u, i) | (bitAt(at + 4u, i) << 4u)) + halfAt(at + 2u); }
    case 4u: { return halfAt(at) * f32(signedByteAt(at + 2u + i)); }
    case 5u: { return q2(at, i); }
    case 6u: { return q3(at, i); }
    case 7u: { return affineK(at, i, nibbleK(at + 16u, i)); }
    case 8u: {
      let high = extractBits(byteAt(at + 16u + i % 32u), i / 32u, 1u);
      return affineK(at, i, nibbleK(at + 48u, i) | (high << 4u));
    }
    case 9u: { return q6(at, i); }
    case 10u: { return halfAt(at) * IQ4_NL[nibble(at + 2u, i)]; }
    case 11u: { return NF4[extractBits(byteAt(at + 4u + i / 2u), select(4u, 0u, i % 2u == 1u), 4u)] * singleAt(at); }
    case 12u: { return singleAt(at) * sequential(at, i) + singleAt(at + 4u); }
    case 13u: { return singleAt(at) * f32(byteAt(at + 8u + i)) + singleAt(at + 4u); }
    case 14u: { return singleAt(at) * (sequential(at, i) - singleAt(at + 4u)); }
    default: { return singleAt(at) * (f32(byteAt(at + 8u + i)) - singleAt(at + 4u)); }
  }
}
