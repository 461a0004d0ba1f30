// What do zero points cost (AWQ, GPTQ, Q4_1)? int4 products with them over symmetric ones, one thread: one token over weights that rotate
// through more than the largest cache, and prompts, for both kinds of activations.

import type { Platform } from "../src/core/ports.js";
import { type Bed, type BedShape, fastestVariant, openBed } from "./bed.js";
import { watchOthers } from "./machine.js";
import { type Arm, interleave, middle, ratio, show } from "./samples.js";

const OFFSETS = ["none8", "zeroU4"] as const;
/** One token: a matrix from DRAM, g128 as AWQ has it and g32; prompts: 256 rows stand for all. */
const SHAPES = [
  { rows: 4096, cols: 4096, tokens: 1, group: 128, bytes: 320e6 },
  { rows: 4096, cols: 4096, tokens: 1, group: 32, bytes: 320e6 },
  { rows: 256, cols: 4096, tokens: 128, group: 128, bytes: 20e6 },
  { rows: 256, cols: 4096, tokens: 128, group: 32, bytes: 20e6 },
] as const;

/** Prints the rates of both forms and their ratio inside a round. */
export async function zeroPoints(platform: Platform, rounds: number): Promise<void> {
  const variant = await fastestVariant(platform, 1);
  console.log(
    `int4 with zero points over symmetric, ${variant} SIMD, one thread, operations (2 a weight) a second in 1e9`,
  );
  for (const { bytes, ...shape } of SHAPES) {
    const beds = await Promise.all(OFFSETS.map((offset) => openBed(platform, variant, { ...shape, offset }, bytes, 1)));
    for (const activations of ["int8", "f32"] as const) {
      const arms = beds.map((bed, i) => arm(platform, bed, shape, activations, OFFSETS[i]));
      const others = watchOthers();
      const [plain, zeros] = interleave(arms, rounds, 2);
      const name = `M=${shape.tokens} g${shape.group} ${activations}`.padEnd(18);
      const rates = `symmetric ${show(middle(plain), 1)}  zero points ${show(middle(zeros), 1)}`;
      console.log(`  ${name} ${rates}  ratio ${show(ratio(zeros, plain))}  (${others()})`);
    }
    await Promise.all(beds.map((bed) => bed.close()));
  }
}

function arm(platform: Platform, bed: Bed, shape: BedShape, activations: "int8" | "f32", name: string): Arm {
  return {
    name,
    run: () => {
      const at = bed.next(1);
      const before = platform.clock.nowNs();
      bed.multiply(at, activations);
      const ns = platform.clock.nowNs() - before;
      return { ns, amount: 2 * shape.tokens * shape.rows * shape.cols };
    },
  };
}
