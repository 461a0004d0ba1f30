// How fast is one token's int4 product, against plain reads of the same bytes? 4096x4096 and 11008x4096, groups of 32 and
// 128, f32 and int8 activations, one thread and two, weights rotating over more than the largest cache.

import type { Platform } from "../src/core/ports.js";
import { errorOf } from "./accuracy.js";
import { type Bed, type BedShape, fastestVariant, openBed } from "./bed.js";
import { watchOthers } from "./machine.js";
import { type Arm, interleave, middle, ratio, show } from "./samples.js";

/** Over twice the 260 MB last-level cache that the machine of docs/performance.md reports. */
const BUFFER_BYTES = 640e6;
/** About one ms: most samples then fit between two of the scheduler's decisions. */
const SAMPLE_BYTES = 10e6;
const THREADS = 2;

const SHAPES: readonly BedShape[] = [
  { rows: 4096, cols: 4096, group: 32, tokens: 1 },
  { rows: 4096, cols: 4096, group: 128, tokens: 1 },
  { rows: 11008, cols: 4096, group: 32, tokens: 1 },
  { rows: 11008, cols: 4096, group: 128, tokens: 1 },
];

/** Prints a table for every shape, on the fastest variant that runs here. */
export async function gemv(platform: Platform, rounds: number): Promise<void> {
  const variant = await fastestVariant(platform, THREADS);
  console.log(`int4 GEMV, ${variant} SIMD, weights rotate over ${BUFFER_BYTES / 1e6} MB, GB/s of stored weight bytes`);
  console.log(
    "median [95 % interval] of n undisturbed samples; r1, r8: plain reads with 1 and 8 streams; ratios inside a round",
  );
  for (const shape of SHAPES) {
    const bed = await openBed(platform, variant, shape, BUFFER_BYTES, THREADS);
    measure(platform, bed, shape, rounds);
    await bed.close();
  }
}

function measure(platform: Platform, bed: Bed, shape: BedShape, rounds: number): void {
  const count = Math.max(1, Math.round(SAMPLE_BYTES / bed.matrixBytes));
  const timed = (all: boolean, work: (at: number) => number) => {
    bed.setThreads(all);
    // Other threads sleep while one-thread arms run; inside a token they would be awake.
    if (all) bed.kernels.readBytes(bed.next(1), bed.matrixBytes / 4, 1);
    const at = bed.next(count);
    const before = platform.clock.nowNs();
    const amount = work(at);
    return { ns: platform.clock.nowNs() - before, amount };
  };
  const product = (activations: "f32" | "int8", all: boolean): Arm => ({
    name: `${activations} ${all ? THREADS : 1}T`,
    run: () =>
      timed(all, (at) => {
        for (let i = 0; i < count; i++) bed.multiply(at + i * bed.matrixBytes, activations);
        return count * bed.matrixBytes;
      }),
  });
  const read = (streams: number, all: boolean): Arm => ({
    name: `r${streams} ${all ? THREADS : 1}T`,
    run: () => timed(all, (at) => bed.kernels.readBytes(at, count * bed.matrixBytes, streams) >>> 0),
  });
  const arms = [false, true].flatMap((all) => [read(1, all), product("int8", all), read(8, all), product("f32", all)]);
  const others = watchOthers();
  const rates = interleave(arms, rounds, 3);
  print(shape, arms, rates);
  for (const activations of ["int8", "f32"] as const) {
    const at = bed.next(1);
    bed.multiply(at, activations);
    console.log(
      `  ${activations} activations: relative L2 error ${errorOf(bed, shape, at).toExponential(1)} of float64`,
    );
  }
  console.log(`  ${others()}`);
}

function print({ rows, cols, group }: BedShape, arms: readonly Arm[], rates: readonly number[][]): void {
  const of = (name: string) => rates[arms.findIndex((arm) => arm.name === name)];
  console.log(`\n${rows}x${cols} g${group}`);
  arms.forEach(({ name }, i) => {
    const threads = name.split(" ")[1];
    const shares = name.startsWith("r")
      ? ""
      : `  / r1 ${show(ratio(rates[i], of(`r1 ${threads}`)))}  / r8 ${show(ratio(rates[i], of(`r8 ${threads}`)))}`;
    const gain = threads === "1T" ? "" : `  / 1T ${show(ratio(rates[i], of(name.replace(threads, "1T"))))}`;
    const all = middle(rates[i]);
    const rate = `${show(all, 1)} of ${all.count}`;
    console.log(`  ${name.padEnd(8)} ${rate.padEnd(26)}${shares}${gain}`);
  });
}
