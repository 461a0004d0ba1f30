// Activation functions and sums of the reference backend; each works on `rows` rows from row 0 on.

import { type Matrix, rowOf } from "./matrix.js";

export type Activation = "silu" | "gelu" | "quickGelu";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** erf by its series for small and its continued fraction for large arguments (Abramowitz & Stegun 7.1.5, 7.1.14). */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)));
}

const FUNCTIONS: Readonly<Record<Activation, (x: number) => number>> = {
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  quickGelu: (x) => x * sigmoid(1.702 * x),
};

/** out = f(x) */
export function activate(kind: Activation, x: Matrix, out: Matrix, rows: number): void {
  for (let i = 0; i < rows; i++) rowOf(out, i).set(rowOf(x, i).map(FUNCTIONS[kind]));
}

/** out = silu(gate) * up (Shazeer 2020). */
export function swiglu(gate: Matrix, up: Matrix, out: Matrix, rows: number): void {
  for (let i = 0; i < rows; i++) {
    const ups = rowOf(up, i);
    rowOf(out, i).set(rowOf(gate, i).map((value, n) => FUNCTIONS.silu(value) * ups[n]));
  }
}

/** out = x + y; a y of one row is added to every row. */
export function add(x: Matrix, y: Matrix, out: Matrix, rows: number): void {
  for (let i = 0; i < rows; i++) {
    const other = rowOf(y, y.spec.rows === 1 ? 0 : i);
    rowOf(out, i).set(rowOf(x, i).map((value, n) => value + other[n]));
  }
}
