// Mixed bits under a size budget: the matrices whose rounding hurts most for what it saves keep 8 bits, the others get 4.

import { InputError } from "../core/errors.js";
import { type Scheme, schemeBits } from "./scheme.js";

/** What rounding one matrix to 4 bits costs. */
export interface Sensitivity {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** Squared error of its output with 4 bits over that of the whole model's outputs, or any measure that adds up. */
  readonly error4: number;
  readonly error8: number;
}

/**
 * Bits of each matrix: starts with 4 everywhere and raises the one with the largest fall of error a bit, as long as the mean bits a weight
 * (scales and zero points included) stay at most `meanBits`.
 * @throws InputError for a budget below what 4 bits cost
 */
export function mixedBits(
  matrices: readonly Sensitivity[],
  meanBits: number,
  base: Scheme,
): ReadonlyMap<string, 4 | 8> {
  const cost = ({ rows, cols }: Sensitivity, bits: 4 | 8) => rows * cols * schemeBits({ ...base, bits }, cols);
  const weights = matrices.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const least = matrices.reduce((sum, matrix) => sum + cost(matrix, 4), 0);
  if (least > meanBits * weights * (1 + 1e-9)) {
    const problem = `${meanBits} bits a weight are less than the ${(least / weights).toFixed(3)} of 4-bit codes with scales`;
    throw new InputError("nibblemark compress", "--mean-bits", problem, "Give at least that");
  }
  const gain = (matrix: Sensitivity) => (matrix.error4 - matrix.error8) / (cost(matrix, 8) - cost(matrix, 4));
  const chosen = new Map<string, 4 | 8>(matrices.map(({ name }) => [name, 4]));
  let used = least;
  for (const matrix of [...matrices].sort((a, b) => gain(b) - gain(a))) {
    const more = cost(matrix, 8) - cost(matrix, 4);
    if (gain(matrix) <= 0 || used + more > meanBits * weights * (1 + 1e-9)) continue;
    used += more;
    chosen.set(matrix.name, 8);
  }
  return chosen;
}
