// 95 % intervals of what was counted.

import type { Span } from "../../core/counters.js";

const Z = 1.96;

/** Of a Poisson count: the exact one (Garwood 1936), its chi-square quantiles by Wilson and Hilferty (1931): within 1 % of them from 5 on, wider below. */
export function poissonSpan(count: number): Span {
  const cube = (n: number, z: number) => n * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3;
  return [count > 0 ? Math.max(0, cube(count, -Z)) : 0, cube(count + 1, Z)];
}

/** Of a share, `hits` of `count` (Wilson 1927); all that is possible where nothing was tried. */
export function shareSpan(hits: number, count: number): Span {
  if (count === 0) return [0, 1];
  const share = hits / count;
  const middle = share + (Z * Z) / (2 * count);
  const half = Z * Math.sqrt((share * (1 - share)) / count + (Z * Z) / (4 * count * count));
  const all = 1 + (Z * Z) / count;
  return [Math.max(0, (middle - half) / all), Math.min(1, (middle + half) / all)];
}

/** Independent factors away from a product, as one: their logarithms add as squares. */
export function jointFactor(...factors: readonly number[]): number {
  return Math.exp(Math.sqrt(factors.reduce((sum, factor) => sum + Math.log(factor) ** 2, 0)));
}
