// AdamW (Loshchilov & Hutter 2019): moments in f32, decay apart from the gradient, bias correction by the number
// of the step.

/**
 * One update of `count` (a multiple of 4) parameters. gradScale multiplies the stored gradient (weight, clipping).
 * correction1 = 1 - beta1^step, correction2 = 1 - beta2^step.
 */
export function adamw(
  parameters: usize, gradients: usize, first: usize, second: usize, count: i32, gradScale: f32, rate: f32,
  beta1: f32, beta2: f32, epsilon: f32, decay: f32, correction1: f32, correction2: f32,
): void {
  const scales = f32x4.splat(gradScale);
  const keep1 = f32x4.splat(beta1);
  const keep2 = f32x4.splat(beta2);
  const take1 = f32x4.splat(<f32>1 - beta1);
  const take2 = f32x4.splat(<f32>1 - beta2);
  const stepSize = f32x4.splat(rate / correction1);
  const root = f32x4.splat(<f32>1 / correction2);
  const small = f32x4.splat(epsilon);
  const shrink = f32x4.splat(<f32>1 - rate * decay);
  for (let j = 0; j < count << 2; j += 16) {
    const g = f32x4.mul(v128.load(gradients + j), scales);
    const m = f32x4.add(f32x4.mul(v128.load(first + j), keep1), f32x4.mul(g, take1));
    const v = f32x4.add(f32x4.mul(v128.load(second + j), keep2), f32x4.mul(f32x4.mul(g, g), take2));
    v128.store(first + j, m);
    v128.store(second + j, v);
    const divisor = f32x4.add(f32x4.sqrt(f32x4.mul(v, root)), small);
    const decayed = f32x4.mul(v128.load(parameters + j), shrink);
    v128.store(parameters + j, f32x4.sub(decayed, f32x4.div(f32x4.mul(stepSize, m), divisor)));
  }
}
