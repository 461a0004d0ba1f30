// `npm run fuzz -- READER [--runs N] [--seed S] [--from K]`: seeded, structure-aware damage to files of one format. Anything but
// a good end or a typed refusal, within its bounds of time and memory (tests/fuzz/fuzzer.ts), stops it; the file that did it
// is kept below .cache/fuzz.

import { mkdirSync, writeFileSync } from "node:fs";
import { openRepacker } from "../src/backends/wasm/repacker.js";
import { uniform } from "../src/model/sample.js";
import { nodePlatform } from "../src/platform/node.js";
import { outcomeOf } from "../tests/fuzz/fuzzer.js";
import { FUZZERS } from "../tests/fuzz/table.js";

function number(flag: string, otherwise: number): number {
  const at = process.argv.indexOf(flag);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`${flag} wants a whole number`);
  process.exit(2);
}

const name = process.argv[2] ?? "";
const fuzzer = Object.hasOwn(FUZZERS, name) ? FUZZERS[name] : undefined;
if (!fuzzer) {
  console.error(`unknown reader "${name}"; there are ${Object.keys(FUZZERS).join(", ")}`);
  process.exit(2);
}
const [runs, seed, from] = [number("--runs", 100000), number("--seed", 1), number("--from", 0)];
const repacker = await openRepacker(nodePlatform());
const outcomes = new Map<string, number>();
const started = performance.now();
for (let run = from; run < runs; run++) {
  const bytes = fuzzer.make(uniform(seed * 1_000_003 + run));
  try {
    const outcome = await outcomeOf(fuzzer, bytes, repacker);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  } catch (error) {
    mkdirSync(".cache/fuzz", { recursive: true });
    writeFileSync(`.cache/fuzz/${name}-${seed}-${run}`, bytes);
    console.error(`run ${run} of seed ${seed} (kept in .cache/fuzz/${name}-${seed}-${run}):`, error);
    process.exit(1);
  }
}
const seconds = (performance.now() - started) / 1000;
const kinds = `${outcomes.size} kinds of outcome, ${outcomes.get("read") ?? 0} files read whole`;
console.log(`${name}: ${runs} files of seed ${seed} in ${seconds.toFixed(0)} s, ${kinds}`);
