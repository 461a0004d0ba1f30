// `npm run fuzz -- READER [--runs N] [--seed S]`: seeded, structure-aware damage to files of one format. Anything but a
// good end or a typed refusal stops it; the file that did it is kept below .cache/fuzz.

import { mkdirSync, writeFileSync } from "node:fs";
import { openRepacker } from "../src/backends/wasm/repacker.js";
import { uniform } from "../src/model/sample.js";
import { nodePlatform } from "../src/platform/node.js";
import { damagedGguf, readAll } from "../tests/fuzz/gguf.js";
import { damagedFolder, damagedOnnx, readFolder, readOnnx } from "../tests/fuzz/hf.js";

interface Fuzzer {
  readonly make: (random: () => number) => Uint8Array;
  readonly read: (bytes: Uint8Array) => Promise<string>;
}

const repacker = await openRepacker(nodePlatform());

/** One line a reader. */
const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  hf: { make: damagedFolder, read: (bytes) => readFolder(bytes, repacker) },
  onnx: { make: damagedOnnx, read: (bytes) => readOnnx(bytes, repacker) },
  gguf: { make: damagedGguf, read: (bytes) => readAll(bytes, repacker) },
};

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
const [runs, seed] = [number("--runs", 100000), number("--seed", 1)];
const outcomes = new Map<string, number>();
const started = performance.now();
for (let run = 0; run < runs; run++) {
  const bytes = fuzzer.make(uniform(seed * 1_000_003 + run));
  try {
    const outcome = await fuzzer.read(bytes);
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
