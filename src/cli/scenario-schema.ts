// The scenario as a checked shape: JSON from a file (or built from flags) in, a Scenario or an InputError out.
// The error names the file, the key and the nearest known key.

import * as v from "valibot";
import { InputError } from "../core/errors.js";
import { parseTest, QUANT_NAMES, type Scenario } from "../core/scenario.js";
import { BENCH_HOSTS } from "../hosts/hosts.js";
import { suggest } from "./nearest.js";

const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const names = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1));

const modelSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("shipped") }),
  v.strictObject({ kind: v.literal("file"), path: v.pipe(v.string(), v.nonEmpty()) }),
  v.strictObject({ kind: v.literal("synthetic"), shape: v.literal("llava-1.5-7b"), layers: whole(1, 32) }),
]);

const testName = v.pipe(
  v.string(),
  v.check((name) => parseTest(name) !== null, "Expected vision, ppN, tgN, tgN@dM or ttftN"),
);

const workloadSchema = v.strictObject({
  model: modelSchema,
  quants: v.pipe(v.array(v.picklist(QUANT_NAMES)), v.minLength(1)),
  activations: v.picklist(["f32", "int8"]),
  kv: v.optional(v.picklist(["f32", "int8"])),
  tests: v.pipe(v.array(testName), v.minLength(1)),
  targets: v.union([v.literal("all"), v.literal("fastest"), names]),
});

const scenarioSchema = v.strictObject({
  schemaVersion: v.literal(1),
  workloads: v.pipe(v.array(workloadSchema), v.minLength(1)),
  topologies: names,
  placement: v.array(v.string()),
  llc: v.union([v.literal("host"), v.literal("none"), whole(1, 2 ** 40)]),
  delay: v.picklist(["traffic", "stall", "camp"]),
  camp: v.exactOptional(v.pipe(v.string(), v.nonEmpty())),
  host: v.pipe(v.string(), v.nonEmpty()),
  rounds: whole(1, 10_000),
  warmups: whole(0, 1000),
  threads: whole(0, 256),
  seed: whole(0, 2 ** 32 - 1),
  hosts: v.optional(v.pipe(v.array(v.picklist(BENCH_HOSTS)), v.minLength(1))),
  quality: v.boolean(),
  spin: v.boolean(),
});

/** Keys a scenario knows, for suggestions. */
const KEYS = [
  ...Object.keys(scenarioSchema.entries),
  ...Object.keys(workloadSchema.entries),
  "kind",
  "path",
  "shape",
  "layers",
];

/** Checks a parsed scenario. `source` is the file or flags it came from; throws InputError on the first fault. */
export function checkScenario(source: string, value: unknown): Scenario {
  const result = v.safeParse(scenarioSchema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const field = path.join(".");
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw new InputError(source, field, "unknown scenario key", suggest(path.at(-1) ?? "", KEYS));
  }
  if (issue.received === "undefined") {
    throw new InputError(source, field, "this key is missing", "nibblemark bench --print-scenario prints a whole one");
  }
  throw new InputError(
    source,
    field,
    `${issue.message.replace(/^Invalid [a-z ]+: /, "").replace(/ but received.*$/, "")}, got ${issue.received}`,
    "nibblemark bench --print-scenario prints a valid one",
  );
}

/** Reads and checks the text of a scenario file. Keys that are absent take their value from `base`. */
export function parseScenario(source: string, text: string, base: Scenario): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(
      source,
      "",
      `is not JSON (${(error as Error).message})`,
      "Mend it or print a new one with --print-scenario",
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(source, "", "is not a JSON object", "nibblemark bench --print-scenario prints a valid one");
  }
  return checkScenario(source, { ...base, ...value });
}
