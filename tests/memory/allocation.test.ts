// Each allocation on one trace worked by hand: six pages touched from the highest address down; near memory has room for two.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { AllocationName } from "../../src/core/pages.js";
import { drive, type TinyPool, type Touch } from "./machine.js";

const POOLS: readonly TinyPool[] = [
  { pages: 2, readNs: 100 },
  { pages: 4, readNs: 300, writeNs: 300 },
  { pages: 8, readNs: 250, writeNs: 350 },
];
const DOWNWARD: readonly Touch[] = [5, 4, 3, 2, 1, 0].map((page): Touch => [page, 1]);
const homesOf = (allocation: AllocationName, weights: readonly number[] = [1, 1, 1]) => {
  const pools = POOLS.map((pool, i) => ({ ...pool, weight: weights[i] as number }));
  return drive(pools, { allocation }, [DOWNWARD], 6).homes;
};

test("first-touch: near until full, then the nearest with room", () => {
  assert.equal(homesOf("first-touch"), [2, 2, 2, 2, 0, 0]);
});

test("first-fit: by address, pool after pool", () => {
  assert.equal(homesOf("first-fit"), [0, 0, 1, 1, 1, 1]);
});

test("interleave: weights 1, 0, 2 give near, far, far in turns until near is full", () => {
  // Order of touch 5 4 3 2 1 0 gets pools 2 0 2 2 0 2.
  assert.equal(homesOf("interleave", [1, 0, 2]), [2, 0, 2, 2, 0, 2]);
});

test("numa: 90 % of two pages are both of them, then the best weighed latency times free room", () => {
  // Latencies 0.7 x 300 + 0.3 x 300 = 300 and 0.7 x 250 + 0.3 x 350 = 280. Free shares of pools 1, 2: (1, 1) -> 2;
  // (1, 7/8): 3.33e-3 against 3.13e-3 -> 1; (3/4, 7/8) -> 2; (3/4, 6/8) -> 2.
  assert.equal(homesOf("numa"), [2, 2, 1, 2, 0, 0]);
});

test("capacity-balanced: least full after the page", () => {
  // Shares after one more page: 1/2, 1/4, 1/8 -> 2; 1/2, 1/4, 2/8 -> 1; then 2/8 -> 2, 3/8 -> 2; then 1/2 thrice -> 0; 1 1/2 1/2 -> 1.
  assert.equal(homesOf("capacity-balanced"), [1, 0, 2, 2, 1, 2]);
});

test("no room anywhere is told", () => {
  assert.throws(() => drive([{ pages: 1, readNs: 100 }], {}, [DOWNWARD], 6), /touchPages 2/);
  assert.throws(() => drive(POOLS, {}, [[[6, 1]]], 6), /touchPages 1/);
});

test.run();
