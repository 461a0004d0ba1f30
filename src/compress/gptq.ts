// GPTQ of single matrices (Frantar et al. 2023) from Gram matrices of their inputs. Act-order sweeps the columns by how much
// they fire, with the groups of the original order, so that the codes fit every file format.

import { InputError } from "../core/errors.js";
import { codeRoom, flagsOf, groupOf, type MatrixCodes, takeCodes } from "./codes.js";
import type { Address, CompressModule } from "./kernels.js";
import type { Scheme } from "./scheme.js";

export interface GptqOptions {
  readonly actOrder: boolean;
  /** Share of the mean of the diagonal that is added to it. */
  readonly damp: number;
  /** Columns of a lazy block. */
  readonly block: number;
}

export const GPTQ_DEFAULTS: GptqOptions = { actOrder: true, damp: 0.01, block: 128 };

/**
 * Codes of the matrix at `weights` [rows, cols] (left as it is).
 * @param gram f64 [cols, cols] X^T X; a factor on it changes nothing
 * @param isLast nobody else reads `gram`: it is used up, a wide matrix's is as large as a block
 * @throws InputError when the damped Gram matrix is singular
 */
export function gptqMatrix(
  module: CompressModule,
  weights: Address,
  gram: Address,
  { name, rows, cols }: { readonly name: string; readonly rows: number; readonly cols: number },
  scheme: Scheme,
  options: GptqOptions = GPTQ_DEFAULTS,
  isLast = false,
): MatrixCodes {
  const { arena, kernels } = module;
  const mark = arena.mark();
  const group = groupOf(scheme, cols);
  const flags = flagsOf(scheme);
  const room = codeRoom(module, rows, cols, group);
  const h = isLast ? gram : copyOf(module, gram, cols * cols * 8);
  let w = copyOf(module, weights, rows * cols * 4);
  kernels.dampen(h, cols, options.damp, w, rows);
  let order: Address = 0;
  if (options.actOrder) {
    // Groups of the original columns are found before any error is carried over.
    kernels.roundRows(w, rows, cols, group, flags, room.codes, room.scales, room.zeros);
    order = arena.alloc(cols * 4);
    kernels.diagonalOrder(h, cols, order, arena.alloc(cols * 4));
    const inner = arena.mark();
    kernels.permuteBoth(h, cols, order, arena.alloc(cols * 9));
    arena.release(inner);
    const permuted = arena.alloc(rows * cols * 4);
    kernels.permuteColumns(w, rows, cols, order, permuted);
    w = permuted;
  }
  const u = arena.alloc(cols * cols * 4);
  const bad = kernels.inverseFactor(h, cols, u);
  if (bad >= 0) {
    const problem = `the Gram matrix of its inputs is singular at column ${bad}`;
    throw new InputError(name, "gptq", problem, "Give more calibration tokens, or a larger damping");
  }
  kernels.gptqSweep(w, rows, cols, group, flags, options.block, u, order, room.codes, room.scales, room.zeros);
  const result = takeCodes(module, room, { rows, cols, group, bits: scheme.bits });
  arena.release(mark);
  return result;
}

function copyOf({ arena }: CompressModule, from: Address, bytes: number): Address {
  const to = arena.alloc(bytes);
  arena.bytes(to, bytes).set(arena.bytes(from, bytes));
  return to;
}
