// llama.cpp's measure of how far a model's distributions are from a base's. The base is kept as 16-bit log-probabilities
// (`--kl-divergence-base`, tools/perplexity of llama.cpp): f32 scale, f32 least log-probability, then one u16 a token.

import { exp64, log64 } from "./exp64";
import { expf } from "./exp";

/** Log-probabilities further below the largest logit are cut. */
const DEPTH: f32 = 16;

/** Bytes of one record: two f32 and an even number of u16. */
export function kldRecordBytes(vocab: u32): u32 {
  return 8 + (((vocab + 1) >> 1) << 2);
}

function largest(row: usize, vocab: u32): u32 {
  let best: u32 = 0;
  for (let i: u32 = 1; i < vocab; i++) if (load<f32>(row + (i << 2)) > load<f32>(row + (best << 2))) best = i;
  return best;
}

function logSum(row: usize, vocab: u32, most: f32): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < vocab; i++) sum += <f64>expf(load<f32>(row + (i << 2)) - most);
  return log64(sum);
}

/** Logits [rows, vocab] f32 to records. */
export function kldEncode(logits: usize, rows: u32, vocab: u32, out: usize): void {
  const bytes = <usize>kldRecordBytes(vocab);
  for (let r: u32 = 0; r < rows; r++) {
    const most = load<f32>(logits + (largest(logits, vocab) << 2));
    let least = most;
    for (let i: u32 = 0; i < vocab; i++) least = min(least, load<f32>(logits + (i << 2)));
    least = max(least, most - DEPTH);
    const scale = (most - least) / 65535;
    const inverse: f32 = scale > 0 ? 1 / scale : 0;
    memory.fill(out, 0, bytes);
    store<f32>(out, scale);
    store<f32>(out, <f32>(<f64>(least - most) - logSum(logits, vocab, most)), 4);
    for (let i: u32 = 0; i < vocab; i++) {
      const above = load<f32>(logits + (i << 2)) - least;
      if (above > 0) store<u16>(out + 8 + (i << 1), <u16>min(nearest(inverse * above), <f32>65535));
    }
    logits += <usize>vocab << 2;
    out += bytes;
  }
}

/**
 * For each of `rows` positions six f64: KL(base || model), -ln p_base(target), -ln p_model(target), both probabilities of the
 * target, and 1 where both have the same most likely token. Tokens whose base log-probability is -16 or less do not count.
 */
export function kldCompare(records: usize, logits: usize, targets: usize, rows: u32, vocab: u32, out: usize): void {
  const bytes = <usize>kldRecordBytes(vocab);
  for (let r: u32 = 0; r < rows; r++) {
    const scale = load<f32>(records);
    const floor = load<f32>(records, 4);
    const target = load<u32>(targets + (r << 2));
    const best = largest(logits, vocab);
    const most = load<f32>(logits + (best << 2));
    const sum = logSum(logits, vocab, most);
    let kl: f64 = 0;
    let bestBase: u32 = 0;
    let bestCode: i32 = -1;
    for (let i: u32 = 0; i < vocab; i++) {
      const code = <i32>load<u16>(records + 8 + (i << 1));
      if (code > bestCode) {
        bestCode = code;
        bestBase = i;
      }
      const base = <f64>(scale * <f32>code + floor);
      if (base > -16) kl += <f64>expf(<f32>base) * (base - (<f64>(load<f32>(logits + (i << 2)) - most) - sum));
    }
    const base = <f64>(scale * <f32>load<u16>(records + 8 + (target << 1)) + floor);
    const model = <f64>(load<f32>(logits + (target << 2)) - most) - sum;
    store<f64>(out, kl);
    store<f64>(out, -base, 8);
    store<f64>(out, -model, 16);
    store<f64>(out, exp64(base), 24);
    store<f64>(out, exp64(model), 32);
    store<f64>(out, bestBase == best ? 1 : 0, 40);
    records += bytes;
    logits += <usize>vocab << 2;
    out += 48;
  }
}
