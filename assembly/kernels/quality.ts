// How far one row of logits is from another, and from the right answer: the sums behind KL divergence, perplexity,
// agreement and accuracy. f32 logits in, f64 sums out.

import { log64 } from "./exp64";
import { expf } from "./exp";

/** Sums written by compareRows, in this order: KL, negative log likelihood, same top token, top token is the target. */
export const QUALITY_SUMS: i32 = 4;

/** Largest of `cols` values; NaN if any is NaN. */
function largest(row: usize, cols: u32): f32 {
  let most = load<f32>(row);
  for (let i: u32 = 1; i < cols; i++) most = max(most, load<f32>(row + (i << 2)));
  return most;
}

/** First index of a value, or cols. */
function indexOf(row: usize, cols: u32, value: f32): u32 {
  let i: u32 = 0;
  while (i < cols && load<f32>(row + (i << 2)) != value) i++;
  return i;
}

/** ln of the sum of exp(row - most). */
function logSum(row: usize, cols: u32, most: f32): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < cols; i++) sum += <f64>expf(load<f32>(row + (i << 2)) - most);
  return log64(sum);
}

/**
 * Compares rows of base and model, both [rows, cols] f32, with targets [rows] i32, and writes QUALITY_SUMS f64 sums:
 * KL(base || model) in nats, -ln p_model(target), rows with equal argmax, rows whose model argmax is the target.
 */
export function compareRows(base: usize, model: usize, targets: usize, rows: u32, cols: u32, out: usize): void {
  let kl: f64 = 0;
  let nll: f64 = 0;
  let same: f64 = 0;
  let right: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const p = base + <usize>r * cols * 4;
    const q = model + <usize>r * cols * 4;
    const target = load<u32>(targets + (r << 2));
    const mostP = largest(p, cols);
    const mostQ = largest(q, cols);
    const sumP = logSum(p, cols, mostP);
    const sumQ = logSum(q, cols, mostQ);
    for (let i: u32 = 0; i < cols; i++) {
      const lnP = <f64>load<f32>(p + (i << 2)) - <f64>mostP - sumP;
      const lnQ = <f64>load<f32>(q + (i << 2)) - <f64>mostQ - sumQ;
      kl += <f64>expf(<f32>lnP) * (lnP - lnQ);
    }
    nll -= <f64>load<f32>(q + (target << 2)) - <f64>mostQ - sumQ;
    const choice = indexOf(q, cols, mostQ);
    if (choice == indexOf(p, cols, mostP)) same += 1;
    if (choice == target) right += 1;
  }
  store<f64>(out, kl);
  store<f64>(out, nll, 8);
  store<f64>(out, same, 16);
  store<f64>(out, right, 24);
}
