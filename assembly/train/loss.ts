// Weighted cross-entropy over logits, its gradient in place, and the sums that are logged.
import { exp4, max4, sum4 } from "./exponential";

/**
 * For each row of logits [rows, stride]: losses[r] = -log softmax(logits)[target] over the first `classes` columns, and
 * the row becomes weight * (softmax - onehot). Rows of weight 0 or target -1 become 0 with loss 0. stride % 4 == 0.
 */
export function crossEntropy(
  logits: usize, stride: i32, classes: i32, targets: usize, weights: usize, losses: usize, rows: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const row = logits + ((r * stride) << 2);
    const target = load<i32>(targets + (r << 2));
    const weight = load<f32>(weights + (r << 2));
    if (target < 0 || weight == 0) {
      store<f32>(losses + (r << 2), 0);
      memory.fill(row, 0, stride << 2);
    } else {
      store<f32>(losses + (r << 2), rowLoss(row, stride, classes, target, weight));
    }
  }
}

function rowLoss(row: usize, stride: i32, classes: i32, target: i32, weight: f32): f32 {
  for (let j = classes; j < stride; j++) store<f32>(row + (j << 2), -1.0e30);
  let largest = v128.load(row);
  for (let j = 4; j < stride; j += 4) largest = f32x4.max(largest, v128.load(row + (j << 2)));
  const top = max4(largest);
  const tops = f32x4.splat(top);
  const own = load<f32>(row + (target << 2));
  const floor = f32x4.splat(-1.0e29);
  let total = f32x4.splat(0);
  for (let j = 0; j < stride; j += 4) {
    const value = v128.load(row + (j << 2));
    const e = v128.and(exp4(f32x4.sub(value, tops)), f32x4.gt(value, floor));
    v128.store(row + (j << 2), e);
    total = f32x4.add(total, e);
  }
  const norm = sum4(total);
  const scale = f32x4.splat(weight / norm);
  for (let j = 0; j < stride; j += 4) v128.store(row + (j << 2), f32x4.mul(v128.load(row + (j << 2)), scale));
  const at = row + (target << 2);
  store<f32>(at, load<f32>(at) - weight);
  return <f32>(Math.log(<f64>norm) + <f64>top - <f64>own);
}

/** Sum of weights[i] * values[i] over weights >= least (values = 0: of the weights alone), in f64. */
export function weightedSum(values: usize, weights: usize, least: f32, count: i32): f64 {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) {
    const weight = load<f32>(weights + (i << 2));
    if (weight >= least && weight > 0) total += <f64>weight * (values == 0 ? 1.0 : <f64>load<f32>(values + (i << 2)));
  }
  return total;
}

/** How many rows of weight >= least have their largest logit (first of equals) at the target. */
export function hits(
  logits: usize, stride: i32, classes: i32, targets: usize, weights: usize, least: f32, rows: i32,
): i32 {
  let count = 0;
  for (let r = 0; r < rows; r++) {
    const weight = load<f32>(weights + (r << 2));
    const target = load<i32>(targets + (r << 2));
    if (target < 0 || weight < least || weight <= 0) continue;
    const row = logits + ((r * stride) << 2);
    let best = 0;
    for (let j = 1; j < classes; j++) {
      if (load<f32>(row + (j << 2)) > load<f32>(row + (best << 2))) best = j;
    }
    if (best == target) count++;
  }
  return count;
}

/**
 * targets, weights [images, side^2] from labels [images, stride] whose columns from `first` on are a grid of
 * labelSide^2 cells; each place gets the label of the cell it lies in. Label -1 gets weight 0.
 */
export function labelTargets(
  labels: usize, stride: i32, first: i32, labelSide: i32, side: i32, weight: f32,
  targets: usize, weights: usize, images: i32,
): void {
  const width = side / labelSide;
  for (let i = 0; i < images; i++) {
    for (let p = 0; p < side * side; p++) {
      const cell = (p / side / width) * labelSide + (p % side) / width;
      const label = load<i32>(labels + ((i * stride + first + cell) << 2));
      const at = (i * side * side + p) << 2;
      store<i32>(targets + at, label);
      store<f32>(weights + at, label >= 0 ? weight : 0);
    }
  }
}

/** targets [images, places] = 0, 1, ... of each picture, all of one weight. */
export function placeTargets(targets: usize, weights: usize, weight: f32, images: i32, places: i32): void {
  for (let i = 0; i < images * places; i++) {
    store<i32>(targets + (i << 2), i % places);
    store<f32>(weights + (i << 2), weight);
  }
}
