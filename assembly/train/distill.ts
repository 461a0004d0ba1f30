// Learning from the model before it was cut: hidden states pulled towards the teacher's (L2), and cross-entropy with the divergence
// of the student's logits from the teacher's on the same targets.
import { exp4, max4, sum4 } from "./exponential";

/** dx += scale * (student - teacher); gives the sum of squared differences in f64. count is a multiple of 4. */
export function hiddenGradient(student: usize, teacher: usize, dx: usize, scale: f32, count: i32): f64 {
  const scales = f32x4.splat(scale);
  let total = f64x2.splat(0);
  for (let j = 0; j < count << 2; j += 16) {
    const difference = f32x4.sub(v128.load(student + j), v128.load(teacher + j));
    v128.store(dx + j, f32x4.add(v128.load(dx + j), f32x4.mul(scales, difference)));
    const low = f64x2.promote_low_f32x4(difference);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(difference, difference, 2, 3, 0, 1));
    total = f64x2.add(total, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/** Row to softmax in place; gives ln of the sum of e^x. */
function softmaxRow(row: usize, classes: i32): f64 {
  let largest = v128.load(row);
  for (let j = 4; j < classes; j += 4) largest = f32x4.max(largest, v128.load(row + (j << 2)));
  const top = max4(largest);
  const tops = f32x4.splat(top);
  let total = f32x4.splat(0);
  for (let j = 0; j < classes; j += 4) {
    const e = exp4(f32x4.sub(v128.load(row + (j << 2)), tops));
    v128.store(row + (j << 2), e);
    total = f32x4.add(total, e);
  }
  const norm = sum4(total);
  const scale = f32x4.splat(<f32>1 / norm);
  for (let j = 0; j < classes; j += 4) v128.store(row + (j << 2), f32x4.mul(v128.load(row + (j << 2)), scale));
  return <f64>top + Math.log(<f64>norm);
}

/**
 * losses[r] = -ln p(target) + share * KL(teacher || student); the row of logits becomes weight times the gradient of that. Rows of
 * weight 0 or target -1 become 0. classes % 4 == 0; the teacher's logits are used up.
 */
export function distillEntropy(
  logits: usize, teacher: usize, classes: i32, targets: usize, weights: usize, share: f32, losses: usize, rows: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const row = logits + <usize>r * (<usize>classes << 2);
    const other = teacher + <usize>r * (<usize>classes << 2);
    const target = load<i32>(targets + (r << 2));
    const weight = load<f32>(weights + (r << 2));
    if (target < 0 || weight == 0) {
      store<f32>(losses + (r << 2), 0);
      memory.fill(row, 0, <usize>classes << 2);
    } else {
      store<f32>(losses + (r << 2), rowLoss(row, other, classes, target, weight, share));
    }
  }
}

function rowLoss(row: usize, other: usize, classes: i32, target: i32, weight: f32, share: f32): f32 {
  softmaxRow(row, classes);
  softmaxRow(other, classes);
  const own = <f64>load<f32>(row + (target << 2));
  let divergence: f64 = 0;
  for (let j = 0; j < classes; j++) {
    const p = <f64>load<f32>(other + (j << 2));
    const q = <f64>load<f32>(row + (j << 2));
    if (p > 1e-12) divergence += p * (Math.log(p) - Math.log(max(q, 1e-30)));
  }
  const keep = f32x4.splat(weight * (1 + share));
  const pull = f32x4.splat(weight * share);
  for (let j = 0; j < classes << 2; j += 16) {
    const gradient = f32x4.sub(f32x4.mul(v128.load(row + j), keep), f32x4.mul(v128.load(other + j), pull));
    v128.store(row + j, gradient);
  }
  const at = row + (target << 2);
  store<f32>(at, load<f32>(at) - weight);
  return <f32>(-Math.log(max(own, 1e-30)) + <f64>share * divergence);
}

/** Sum of |x * y| in f64. */
export function absDot(x: usize, y: usize, count: i32): f64 {
  let total: f64 = 0;
  for (let j = 0; j < count; j++) total += abs(<f64>load<f32>(x + (j << 2)) * <f64>load<f32>(y + (j << 2)));
  return total;
}
