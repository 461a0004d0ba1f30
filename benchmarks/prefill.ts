// How many operations a second do int4 products of many tokens reach? M tokens times 4096 columns, one thread, g32 and g128.
// 256 rows stand for all: blocks of rows do not know of each other, and a sample then takes a few ms.

import type { Platform } from "../src/core/ports.js";
import { fastestVariant, openBed } from "./bed.js";
import { watchOthers } from "./machine.js";
import { type Arm, interleave, middle, show } from "./samples.js";

const [ROWS, COLS] = [256, 4096];
const BUFFER_BYTES = 40e6;

/** Prints giga-operations (two for each multiply-add) a second. */
export async function prefill(platform: Platform, rounds: number): Promise<void> {
  const variant = await fastestVariant(platform, 1);
  console.log(
    `int4 prefill ${ROWS}x${COLS}, ${variant} SIMD, one thread, GOPS, median [95 % interval] of undisturbed samples`,
  );
  for (const tokens of [2, 4, 16, 128]) {
    for (const group of [32, 128] as const) {
      const bed = await openBed(platform, variant, { rows: ROWS, cols: COLS, group, tokens }, BUFFER_BYTES, 1);
      const arms = (["int8", "f32"] as const).map(
        (activations): Arm => ({
          name: activations,
          run: () => {
            const at = bed.next(1);
            const before = platform.clock.nowNs();
            bed.multiply(at, activations);
            return { ns: platform.clock.nowNs() - before, amount: 2 * tokens * ROWS * COLS };
          },
        }),
      );
      const others = watchOthers();
      const rates = interleave(arms, rounds, 2);
      const cells = arms.map(({ name }, i) => `${name} ${show(middle(rates[i]), 1)}`).join("  ");
      console.log(`  M=${String(tokens).padEnd(4)} g${String(group).padEnd(4)} ${cells}  (${others()})`);
      await bed.close();
    }
  }
}
