// From scores to sets: searches see what single scores do not and keep their budgets; shapes and protection hold; rank agreement.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { divergence, greedySet, healedSwap } from "../../src/compress/search.js";
import { selectSet } from "../../src/compress/select.js";
import type { Losses, Trial } from "../../src/compress/trial.js";
import { kendall, spearman } from "../../src/stats/rank.js";
import { refuses } from "../support/refuses.js";

/** A trial over a table of losses: sets cost the sum of their blocks, neighbours 10 more unless told otherwise. */
function tableTrial(costs: readonly number[], neighbours = 10): Trial {
  const known = new Set<string>();
  const loss = (value: number): Losses => ({ text: { tokens: 1, nll: value, kl: value } });
  return {
    layers: costs.length,
    base: loss(0),
    runs: () => known.size,
    async losses(removed) {
      known.add([...removed].sort().join());
      const gaps = removed.filter((layer) => removed.includes(layer + 1)).length;
      return loss(removed.reduce((sum, layer) => sum + costs[layer], 0) + neighbours * gaps);
    },
  };
}

test("searches see what single scores do not", async () => {
  const trial = tableTrial([9, 9, 1, 1, 1, 3, 2, 9]);
  const wanted = { count: 3, shape: "free", protect: [0, 1, 7] } as const;
  const greedy = await greedySet(trial, wanted, divergence);
  assert.equal(greedy.removed, [2, 4, 6]);
  const swapped = await healedSwap(trial, wanted, [[2, 3, 4]], 100);
  assert.equal(swapped.removed, [2, 4, 6]);
  const few = await healedSwap(tableTrial([9, 9, 1, 1, 1, 3, 2, 9]), wanted, [[2, 3, 4]], 1);
  assert.equal(few.removed, [2, 3, 4]);
});

test("searches keep to the asked shape", async () => {
  const costs = [9, 9, 1, 1, 1, 3, 2, 9];
  const contiguous = { count: 3, shape: "contiguous", protect: [0, 1, 7] } as const;
  assert.equal((await greedySet(tableTrial(costs), contiguous, divergence)).removed, [2, 3, 4]);
  const moved = await healedSwap(
    tableTrial(costs),
    contiguous,
    [
      [2, 4, 6],
      [4, 5, 6],
    ],
    100,
  );
  assert.equal(moved.removed, [2, 3, 4]);
  for (const { set } of moved.tried) assert.is(set[2] - set[0], 2, `${set}`);
  // Neighbours cost nothing here: free sets would be 2, 3, 4.
  const spaced = { ...contiguous, shape: "spaced" } as const;
  assert.equal((await greedySet(tableTrial(costs, 0), spaced, divergence)).removed, [2, 4, 6]);
  assert.equal(
    (
      await healedSwap(
        tableTrial(costs, 0),
        spaced,
        [
          [2, 3, 4],
          [2, 4, 6],
        ],
        100,
      )
    ).removed,
    [2, 4, 6],
  );
  // A run starts where one is free: block 3 alone costs least.
  const walled = { count: 2, shape: "contiguous", protect: [2, 4] } as const;
  assert.equal((await greedySet(tableTrial([5, 5, 9, 0, 9, 3, 2, 9]), walled, divergence)).removed, [5, 6]);
  await refuses(() => greedySet(tableTrial(costs), { ...walled, protect: [1, 3, 5, 7] }, divergence), /neighbouring/);
});

test("shapes and protected blocks", async () => {
  const order = [3, 4, 2, 5, 6, 1, 0, 7];
  const protect = [0, 1, 7];
  const select = (count: number, shape: "free" | "contiguous" | "spaced") =>
    selectSet(order, { count, shape, protect });
  assert.equal(select(3, "free"), [2, 3, 4]);
  assert.equal(select(2, "spaced"), [3, 5]);
  assert.equal(
    select(4, "spaced"),
    [2, 3, 4, 5]
      .filter((l) => l !== 2 && l !== 4)
      .concat([4, 2])
      .sort(),
  );
  assert.equal(selectSet(order, { count: 2, shape: "contiguous", protect }, [9, 9, 5, 4, 1, 3, 9, 9]), [4, 5]);
  await refuses(() => select(6, "free"), /cannot be removed/);
  await refuses(() => selectSet(order, { count: 2, shape: "contiguous", protect: [1, 3, 5, 7] }), /neighbouring/);
});

test("rank agreement by hand", () => {
  assert.is(kendall([1, 2, 3, 4], [1, 2, 3, 4]), 1);
  assert.is(kendall([1, 2, 3, 4], [4, 3, 2, 1]), -1);
  // One of six pairs is discordant.
  assert.ok(Math.abs(kendall([1, 2, 3, 4], [1, 2, 4, 3]) - 4 / 6) < 1e-12);
  assert.ok(Math.abs(spearman([1, 2, 3, 4], [1, 2, 4, 3]) - 0.8) < 1e-12);
  // Ties: ranks 1.5, 1.5, 3 against 1, 2, 3.
  assert.ok(Math.abs(spearman([5, 5, 9], [1, 2, 3]) - Math.sqrt(3) / 2) < 1e-12);
});

test.run();
