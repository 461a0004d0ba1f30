// HQQ (Badri & Shaji 2023): zero points by half-quadratic splitting on the weights alone, with an l_p norm (p = 0.7) that
// lets outliers be. The zero point is rounded at the end, as four-bit files hold it, and smaller scales are tried too; where nothing
// is better than plain rounding, plain rounding stays.

import { fromHalf, toHalf } from "../kernels/half";
import { groupScale, groupZero, RANGE, setGroup, setScale, valueOf } from "./round";
import { at4 } from "./task";

const STEPS: i32 = 10;
/** Scales tried: 1, 0.95, ... of the whole range. */
const SHRINKS: i32 = 8;
const NORM: f64 = 0.7;
const BETA: f64 = 10;
const KAPPA: f64 = 1.01;

/**
 * Leaves the best scale and zero point set. Files hold whole zero points, which alone leave little to find, so smaller scales (which clip
 * outliers) are tried as well, each with its own search of the zero point.
 */
export function hqqGroup(w: usize, count: i32, bits: i32, half: bool): void {
  setGroup(w, 0, count, bits, RANGE, half);
  const whole = groupScale();
  const start = groupZero();
  const top = <f32>((1 << bits) - 1);
  let bestScale = whole;
  let bestZero = start;
  let least = lpError(w, count);
  for (let shrink = 0; shrink < SHRINKS; shrink++) {
    let scale = whole * (1 - <f32>shrink * <f32>0.05);
    if (half) scale = fromHalf(toHalf(scale));
    if (scale == 0) break;
    let zero = top / 2 + (start - top / 2) * (whole / scale);
    let beta: f64 = BETA;
    for (let i = 0; i < STEPS; i++) {
      zero = nextZero(w, count, scale, zero, top, beta);
      beta *= KAPPA;
    }
    setScale(scale, max(<f32>0, min(top, nearest(zero))), bits);
    const error = lpError(w, count);
    if (error < least) {
      least = error;
      bestScale = scale;
      bestZero = groupZero();
    }
  }
  setScale(bestScale, bestZero, bits);
}

/** Mean of q - (w - e) / scale, e the shrunk error; the zero point is any number while it is searched. */
function nextZero(w: usize, count: i32, scale: f32, zero: f32, top: f32, beta: f64): f32 {
  let sum: f64 = 0;
  for (let c = 0; c < count; c++) {
    const value = <f64>load<f32>(at4(w, c));
    const code = <f64>max(<f32>0, min(top, nearest(<f32>value / scale + zero)));
    const error = value - (code - <f64>zero) * <f64>scale;
    const size = abs(error);
    // The shrinkage operator of the l_p norm, in its approximate form.
    const shrunk = size > 0 ? max(<f64>0, size - Math.pow(size, NORM - 1) / beta) : 0;
    const kept = error < 0 ? -shrunk : shrunk;
    sum += code - (value - kept) / <f64>scale;
  }
  return <f32>(sum / <f64>count);
}

function lpError(w: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let c = 0; c < count; c++) {
    const value = load<f32>(at4(w, c));
    sum += Math.pow(<f64>abs(value - valueOf(value)), NORM);
  }
  return sum;
}
