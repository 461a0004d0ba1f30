// The study's cells: every set of one to three of eight blocks, each cell once, and a cache that survives a torn line.

import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  allCells,
  cellKey,
  criteriaCell,
  SMOL_CRITERIA,
  smolCell,
  subsetCell,
  subsets,
} from "../../scripts/study/cells.js";
import { openStore } from "../../scripts/study/store.js";
import { ranked, regretTable, smolScore } from "../../scripts/study/tables.js";

test("all sets of one to three blocks, and no cell twice", () => {
  const sets = subsets();
  assert.is(sets.length, 8 + 28 + 56);
  assert.is(new Set(sets.map(String)).size, sets.length);
  const keys = allCells().map(cellKey);
  assert.is(new Set(keys).size, keys.length);
});

test("regret is taken from the best set of its size; a torn line is measured again", () => {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-study-"));
  const path = join(folder, "cells.jsonl");
  const store = openStore(path);
  const losses = (kl: number) => ({ text: { tokens: 1, nll: 1, kl }, answer: { tokens: 1, nll: 1, kl: 0 } });
  for (const [layer, kl] of [
    [3, 0.4],
    [5, 0.2],
    [6, 0.6],
  ]) {
    store.add(subsetCell([layer], false), { kind: "pipeline", losses: losses(kl), layers: 7, seconds: 1 });
  }
  const chosen = [{ criterion: "taylor", removed: [3], order: [3, 5, 6] }];
  store.add(criteriaCell("shipped", 1, "taylor"), { kind: "criteria", chosen, seconds: 1 });
  appendFileSync(path, '{"key":"to');
  const again = openStore(path);
  assert.equal(
    ranked(again, 1, false).map(({ set, kl }) => [...set, kl]),
    [
      [5, 0.1],
      [3, 0.2],
      [6, 0.3],
    ],
  );
  const line = regretTable(again, 1).find((text) => text.includes("taylor")) ?? "";
  assert.match(line, /taylor \| 3 \| 0\.2000 \| 0\.1000 \| 2 of 3 /);
  assert.is(again.find(subsetCell([1], false)), null);
  rmSync(folder, { recursive: true });
});

test("settings count where all criteria were measured, and say where ours is not the best", () => {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-study-"));
  const store = openStore(join(folder, "cells.jsonl"));
  const add = (criterion: string, heal: boolean, kl: number) =>
    store.add(smolCell(criterion, 4, heal, "f16"), {
      ...{ kind: "pipeline", layers: 26, seconds: 1 },
      losses: { text: { tokens: 1, nll: 1, kl } },
    });
  for (const [i, criterion] of SMOL_CRITERIA.entries()) add(criterion, false, 9 - i);
  assert.equal(smolScore(store), [
    "- Of 1 settings that were measured for all criteria, healed-swap is the best in 1.",
  ]);
  for (const [i, criterion] of SMOL_CRITERIA.entries()) add(criterion, true, i);
  const [first] = SMOL_CRITERIA;
  assert.match(smolScore(store)[0], new RegExp(`Of 2 .* in 1; ${first} is better at 4 blocks, ReplaceMe, f16\\.`));
  rmSync(folder, { recursive: true });
});

test.run();
