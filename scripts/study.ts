// `npm run study -- --hours H`: measures the cells of the study that are not in .cache/study yet, cheap ones first, until the time is
// up, and writes docs/study.md and docs/study.json of all that are there.

import { existsSync } from "node:fs";
import { type Bed, openBed, pathOf } from "./study/bench.js";
import { allCells, type ModelName } from "./study/cells.js";
import { writeStudy } from "./study/document.js";
import { measure, nameOf } from "./study/measure.js";
import { openStore } from "./study/store.js";

const flag = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

const hours = Number(flag("hours") ?? "8");
const only = flag("only") as ModelName | undefined;
/** Cells whose line in the log fits. */
const match = new RegExp(flag("match") ?? "");
if (!(hours >= 0) || (only !== undefined && only !== "shipped" && only !== "smollm2")) {
  process.stderr.write("usage: npm run study -- --hours H [--only shipped|smollm2] [--match REGEXP]\n");
  process.exit(2);
}
const store = openStore(".cache/study/cells.jsonl");
const end = performance.now() + hours * 3600e3;
let bed: { readonly model: ModelName; readonly opened: Bed } | null = null;

for (const model of ["shipped", "smollm2"] as const) {
  if (only !== undefined && only !== model) continue;
  if (!existsSync(pathOf(model))) {
    process.stderr.write(`${pathOf(model)} is not here: the cells of ${model} are left out\n`);
    continue;
  }
  for (const cell of allCells().filter((one) => one.model === model && !store.find(one) && match.test(nameOf(one)))) {
    if (performance.now() >= end) break;
    bed ??= { model, opened: await openBed(model, Number(flag("threads") ?? "0")) };
    try {
      const { seconds } = await measure(bed.opened, cell, store);
      process.stderr.write(`${seconds} s: ${nameOf(cell)}\n`);
    } catch (error) {
      process.stderr.write(`failed: ${nameOf(cell)}: ${(error as Error).message}\n`);
    }
  }
  await bed?.opened.close();
  bed = null;
}
writeStudy(store, "docs");
