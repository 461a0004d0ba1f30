// Linear layer y = x W^T + b as Hugging Face stores it: W [outputs, inputs], b [outputs], x [rows, inputs].
// The backward functions add to the gradients of W and b; the gradient of x is written or added.
import { FULL, gemm } from "./matmul";

/** y[rows, outputs] (+)= x W^T. */
export function linear(x: usize, w: usize, y: usize, rows: i32, inputs: i32, outputs: i32, accumulate: bool): void {
  gemm(rows, outputs, inputs, x, inputs, false, w, inputs, true, y, outputs, accumulate, FULL);
}

/** dx[rows, inputs] (+)= dy W. */
export function linearInputGradient(
  dy: usize, w: usize, dx: usize, rows: i32, inputs: i32, outputs: i32, accumulate: bool,
): void {
  gemm(rows, inputs, outputs, dy, outputs, false, w, inputs, false, dx, inputs, accumulate, FULL);
}

/** dw[outputs, inputs] += dy^T x. */
export function linearWeightGradient(dy: usize, x: usize, dw: usize, rows: i32, inputs: i32, outputs: i32): void {
  gemm(outputs, inputs, rows, dy, outputs, true, x, inputs, false, dw, inputs, true, FULL);
}

/** y[rows, columns] += bias. */
export function addBias(y: usize, bias: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j += 4) {
      const at = y + ((r * columns + j) << 2);
      v128.store(at, f32x4.add(v128.load(at), v128.load(bias + (j << 2))));
    }
  }
}

/** db[columns] += sum of dy over rows. */
export function biasGradient(dy: usize, db: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j += 4) {
      const at = db + (j << 2);
      v128.store(at, f32x4.add(v128.load(at), v128.load(dy + ((r * columns + j) << 2))));
    }
  }
}
