// Every matrix kernel against float64 over random ragged shapes: all groups, offsets, formats and activation formats, one
// token to more than a tile of them. NIBBLEMARK_SEED picks other cases.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Group, PackedInt4 } from "../../src/core/packed.js";
import {
  f32Product,
  int4Product,
  int8Product,
  type Product,
  random,
  slowProduct,
  wasmProduct,
  worstError,
} from "./twin.js";
import { runningVariants } from "./variants.js";

const seed = Number(process.env.NIBBLEMARK_SEED ?? 20);
const CASES = 60;
/** Largest error over the root mean square of all outputs: f32 sums, one after the other, of up to 1400 products. */
const TOLERANCE = 1e-5;

const GROUPS: readonly Group[] = [16, 32, 64, 128];
const OFFSETS: readonly PackedInt4["offset"][] = ["none8", "zeroU4", "bias"];

function randomProduct(index: number): { name: string; product: Product } {
  const next = random(seed * 1000 + index);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)];
  const tokens = pick([1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 131, 300]);
  const shape = { rows: 1 + Math.floor(next() * 150), cols: 1 + Math.floor(next() * (index % 7 ? 300 : 1400)), tokens };
  const activations = pick(["f32", "int8"] as const);
  const kind = pick(["int4", "int4", "int4", "int8", "f32"]);
  const [group, offset] = [pick(GROUPS), pick(OFFSETS)];
  const name = `case ${index}: ${kind} ${group} ${offset} ${activations} ${JSON.stringify(shape)}`;
  if (kind === "int4") return { name, product: int4Product(next, shape, group, offset, activations) };
  return { name, product: kind === "int8" ? int8Product(next, shape, activations) : f32Product(next, shape) };
}

const variants = await runningVariants();

test("products equal their float64 twins", async () => {
  for (let index = 0; index < CASES; index++) {
    const { name, product } = randomProduct(index);
    const slow = slowProduct(product);
    for (const variant of variants) {
      const error = worstError(await wasmProduct(product, variant, 1), slow);
      assert.ok(error < TOLERANCE, `seed ${seed}, ${variant}, ${name}: ${error}`);
    }
  }
});

test.run();
