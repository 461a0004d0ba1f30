// Flags are parsed strictly; lists, sizes and numbers mean one thing.

import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  byteSize,
  commaList,
  type Flag,
  parseFlags,
  plainNumber,
  topologyList,
  wholeNumber,
} from "../../src/cli/flags.js";
import { suggest } from "../../src/cli/nearest.js";
import { InputError } from "../../src/core/errors.js";

const FLAGS: readonly Flag[] = [
  { name: "quant", value: "LIST", repeat: true, help: "" },
  { name: "rounds", short: "r", value: "N", help: "" },
  { name: "spin", help: "" },
];
const parse = (...args: string[]) => parseFlags("bench", FLAGS, args, 1);
const fault = (run: () => unknown, pattern: RegExp) =>
  assert.throws(run, (error: unknown) => error instanceof InputError && pattern.test(error.message));

test("values, switches, short names, repeats and positionals", () => {
  const parsed = parse("model", "--quant", "f32,int8", "--quant=int4-g32", "-r", "5", "--spin");
  assert.equal(parsed.positionals, ["model"]);
  assert.equal(parsed.all("quant"), ["f32,int8", "int4-g32"]);
  assert.is(parsed.text("rounds"), "5");
  assert.ok(parsed.on("spin"));
  assert.not.ok(parsed.on("quiet"));
});

test("an unknown flag names the nearest", () => fault(() => parse("--qaunt", "f32"), /--qaunt: unknown flag.*--quant/));
test("a missing value", () => {
  fault(() => parse("--rounds"), /--rounds: needs a value/);
  fault(() => parse("--rounds", "--spin"), /--rounds: needs a value/);
});
test("an unwanted value", () => fault(() => parse("--spin=yes"), /takes no value/));
test("a flag given twice", () => fault(() => parse("-r", "1", "-r", "2"), /given twice/));
test("too many arguments", () => fault(() => parse("a", "b"), /b: unexpected argument/));

test("lists are split at commas outside parentheses", () => {
  assert.equal(commaList("weights=interleave(dram:3,cxl0:1), kv=cxl0"), [
    "weights=interleave(dram:3,cxl0:1)",
    "kv=cxl0",
  ]);
  assert.equal(commaList("(1,(2,(3,4),5)),b"), ["(1,(2,(3,4),5))", "b"]);
  assert.equal(commaList(""), []);
});

test("a Newick tree stays whole in a list of topologies, its vectors too", () => {
  const tree = "(1,(2,3)); latency 200,250 300,350 300,350 bandwidth 50,50 30,30 30,30 switch 80,59.3";
  assert.equal(topologyList(`local, ${tree},cxl-1hop,(1)`), ["local", tree, "cxl-1hop", "(1)"]);
  assert.equal(topologyList("(1),(1,2);"), ["(1)", "(1,2);"]);
});

test("sizes", () => {
  assert.is(byteSize("4096"), 4096);
  assert.is(byteSize("16MiB"), 16 * 2 ** 20);
  assert.is(byteSize("1.5 GB"), 1.5e9);
  assert.is(byteSize("64 KB"), 64_000);
  for (const bad of ["", "MiB", "-1", "16 XiB", "1e9"]) assert.is(byteSize(bad), null, bad);
});

test("numbers stay inside their bounds", () => {
  assert.is(wholeNumber("bench", "rounds", "7", 1, 10), 7);
  for (const bad of ["0", "11", "2.5", "-1", "x", ""])
    fault(() => wholeNumber("bench", "rounds", bad, 1, 10), /--rounds/);
  assert.is(plainNumber("run", "top-p", "0.9", 0, 1), 0.9);
  for (const bad of ["2", "", "x"]) fault(() => plainNumber("run", "top-p", bad, 0, 1), /--top-p/);
});

test("suggestions", () => {
  assert.is(suggest("scenaro", ["scenario", "seed"]), "Did you mean scenario?");
  assert.is(suggest("zzzzzz", ["scenario", "seed"]), "Known: scenario, seed");
});

test.run();
