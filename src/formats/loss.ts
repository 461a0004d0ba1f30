// What writing a model in another form cost, by class of tensors: largest error and relative L2 norm of the difference
// between the values that were wanted and those that the written bytes stand for.

import { InputError } from "../core/errors.js";
import type { Difference, LossRow, Rounder } from "../core/write.js";

export interface LossLog {
  /** Compares; throws InputError where the form cannot hold a value at all. */
  add(name: string, form: string, wanted: Float32Array, written: Float32Array): void;
  /** A tensor whose codes were kept as they are. */
  kept(name: string, form: string): void;
  /** One row a class and form, in the order in which they came. */
  rows(): LossRow[];
}

/** `model.layers.3.mlp.up_proj.weight` -> `model.layers.N.mlp.up_proj.weight` */
export const tensorClass = (name: string): string => name.replace(/\.(\d+)\./, ".N.");

/** Half a step of f16's largest numbers is 16; what is beyond them is infinite, which vector builds unpack as 65536. */
const [HALF_STEP, BEYOND] = [16, 65536];

export function lossLog(rounder: Pick<Rounder, "difference">): LossLog {
  const sums = new Map<string, { name: string; form: string; tensors: number; sum: Difference }>();
  const put = (name: string, form: string, { most, squares, total }: Difference) => {
    const key = JSON.stringify([tensorClass(name), form]);
    const old = sums.get(key) ?? { name: tensorClass(name), form, tensors: 0, sum: { most: 0, squares: 0, total: 0 } };
    const sum = {
      most: Math.max(old.sum.most, most),
      squares: old.sum.squares + squares,
      total: old.sum.total + total,
    };
    sums.set(key, { ...old, tensors: old.tensors + 1, sum });
  };
  const isOver = (most: number, written: Float32Array) =>
    most >= HALF_STEP && rounder.difference(new Float32Array(written.length), written).most >= BEYOND;
  return {
    add(name, form, wanted, written) {
      const found = rounder.difference(wanted, written);
      if (!Number.isFinite(found.most) || (form === "F16" && isOver(found.most, written))) {
        throw new InputError(name, "", `holds a value that does not fit ${form.toLowerCase()}`, "Write f32");
      }
      put(name, form, found);
    },
    kept: (name, form) => put(name, form, { most: 0, squares: 0, total: 0 }),
    rows: () =>
      [...sums.values()].map(({ name, form, tensors, sum }) => {
        const relativeL2 = sum.squares === 0 ? 0 : Math.sqrt(sum.squares / sum.total);
        return { name, form, tensors, maxError: sum.most, relativeL2 };
      }),
  };
}
