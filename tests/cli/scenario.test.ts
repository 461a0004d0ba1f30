// A scenario is checked JSON: unknown keys name the nearest, every flag has its key, flags win over the file.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseFlags } from "../../src/cli/flags.js";
import { DEFAULT_SCENARIO, SCENARIO_FLAGS, scenarioOf } from "../../src/cli/scenario-flags.js";
import { checkScenario, parseScenario } from "../../src/cli/scenario-schema.js";
import { InputError } from "../../src/core/errors.js";

const fault = (run: () => unknown, ...patterns: RegExp[]) =>
  assert.throws(
    run,
    (error: unknown) => error instanceof InputError && patterns.every((pattern) => pattern.test(error.message)),
  );
const flags = (...args: string[]) => parseFlags("bench", SCENARIO_FLAGS, args, 1);
const read = (text: string) => parseScenario("mine.json", text, DEFAULT_SCENARIO);

test("a Newick tree is one topology", () => {
  const { topologies } = scenarioOf(flags("--topology", "local,(1,(2,3));", "--topology", "(1)"), null);
  assert.equal(topologies, ["local", "(1,(2,3));", "(1)"]);
});

test("the default scenario is valid and survives JSON", () => {
  assert.equal(read(JSON.stringify(DEFAULT_SCENARIO)), DEFAULT_SCENARIO);
});

test("an unknown key names file, key and the nearest", () => {
  fault(() => read('{"roundz": 3}'), /^mine\.json: roundz: unknown scenario key/, /rounds/);
  const nested = { ...DEFAULT_SCENARIO.workloads[0], quant: ["f32"] };
  fault(() => read(JSON.stringify({ workloads: [nested] })), /workloads\.0\.quant/, /quants/);
});

test("wrong types and values name the field", () => {
  fault(() => read('{"rounds": "3"}'), /rounds/);
  fault(() => read('{"rounds": 0}'), /rounds/);
  fault(() => read('{"topologies": []}'), /topologies/);
  fault(() => read('{"schemaVersion": 2}'), /schemaVersion/);
  fault(() => read('{"llc": "big"}'), /llc/);
  fault(() => checkScenario("x", { schemaVersion: 1 }), /workloads/);
});

test("what is no JSON object is refused", () => {
  fault(() => read("{"), /is not JSON/);
  fault(() => read("[]"), /JSON object/);
});

test("flags win over the file", () => {
  const scenario = scenarioOf(flags("--rounds", "3", "--quant", "int8", "--llc", "16MiB"), '{"rounds": 9, "seed": 5}');
  assert.is(scenario.rounds, 3);
  assert.is(scenario.seed, 5);
  assert.is(scenario.llc, 16 * 2 ** 20);
  assert.ok(scenario.workloads.every(({ quants }) => quants.join() === "int8"));
});

test("a format that the synthetic shape lacks leaves that shape out, unless it was asked for", () => {
  const kinds = (...args: string[]) =>
    scenarioOf(flags(...args), null).workloads.map(({ model, quants }) => `${model.kind} ${quants.join()}`);
  assert.equal(kinds("--quant", "int8"), ["shipped int8"]);
  assert.equal(kinds("--quant", "int8,int4-g128"), ["shipped int8,int4-g128", "synthetic int4-g128"]);
  assert.equal(kinds("--shape", "llava-1.5-7b", "--quant", "int8"), ["synthetic int8"]);
});

test("a model or a shape makes one workload of its own", () => {
  const model = scenarioOf(flags("some/model"), null).workloads;
  assert.equal(
    model.map((workload) => workload.model),
    [{ kind: "file", path: "some/model" }],
  );
  const shape = scenarioOf(flags("--shape", "llava-1.5-7b", "--layers", "2"), null).workloads;
  assert.equal(
    shape.map((workload) => workload.model),
    [{ kind: "synthetic", shape: "llava-1.5-7b", layers: 2 }],
  );
  assert.is(shape[0]?.targets, "fastest");
});

test("flags that make no sense together", () => {
  fault(() => scenarioOf(flags("m", "--shape", "llava-1.5-7b"), null), /--shape/);
  fault(() => scenarioOf(flags("--layers", "2"), null), /--layers/);
  fault(() => scenarioOf(flags("--quality", "--no-quality"), null), /--no-quality/);
  fault(() => scenarioOf(flags("--shape", "gpt-9"), null), /gpt-9/);
  fault(() => scenarioOf(flags("--quant", "int3"), null), /quants/);
  fault(() => scenarioOf(flags("--test", "pp0"), null), /tests/);
});

test("every flag changes the scenario or only how it is given", () => {
  const how = ["scenario", "print-scenario", "quality"];
  const sample: Record<string, string> = {
    host: "default",
    model: "x",
    quant: "int8",
    activations: "f32",
    kv: "int8",
    test: "tg3",
    target: "fastest",
    targets: "bun",
    topology: "local",
    placement: "kv=cxl0",
    llc: "none",
    delay: "stall",
    camp: "fit.json",
    rounds: "3",
    warmups: "2",
    threads: "1",
    seed: "9",
  };
  for (const { name, value } of SCENARIO_FLAGS.filter((flag) => !how.includes(flag.name))) {
    const args = name === "layers" ? ["--shape", "llava-1.5-7b", "--layers", "3"] : [`--${name}`];
    if (value && name !== "layers") args.push(name === "shape" ? "llava-1.5-7b" : (sample[name] ?? ""));
    assert.not.equal(scenarioOf(flags(...args), null), DEFAULT_SCENARIO, name);
  }
});

test.run();
