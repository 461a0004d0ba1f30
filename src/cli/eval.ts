// `nibblemark eval`: quality of a model's formats beside f32, without timing.

import { access } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../core/errors.js";
import type { Command } from "./command.js";
import { converse, INTERRUPTED } from "./conversation.js";
import type { Flag, Parsed } from "./flags.js";
import { OUTPUT_FLAGS, outputsOf, writeOutputs } from "./outputs.js";
import { SCENARIO_FLAGS, scenarioOf } from "./scenario-flags.js";
import { painter, progressBar } from "./terminal.js";

const NAMES = ["model", "quant", "activations", "target", "threads"];

const FLAGS: readonly Flag[] = [
  ...SCENARIO_FLAGS.filter(({ name }) => NAMES.includes(name)),
  { name: "official", help: "the full sets of .cache/data/eval (node build/scripts/model/evalsets.js makes them)" },
  { name: "set", value: "FOLDER", help: "another folder with questions.jsonl, pictures.png, text.txt" },
  ...OUTPUT_FLAGS,
];

/** The folder to evaluate on; null for the committed set. */
async function folderOf(parsed: Parsed): Promise<string | null> {
  const own = parsed.text("set");
  if (own !== undefined && parsed.on("official")) {
    throw new InputError("nibblemark eval", "--set", "given beside --official", "Give one of them");
  }
  const folder = own ?? (parsed.on("official") ? join(".cache", "data", "eval") : null);
  if (folder === null) return null;
  try {
    await access(join(folder, "questions.jsonl"));
  } catch {
    const remedy = parsed.on("official") ? "Run npm run eval, which makes the sets" : "Name a folder that has it";
    throw new InputError(folder, "questions.jsonl", "does not exist", remedy);
  }
  return folder;
}

async function run(parsed: Parsed): Promise<number> {
  const folder = await folderOf(parsed);
  const named = parsed.positionals.length > 0 || parsed.on("model");
  const scenario = scenarioOf(parsed, null);
  const workloads = named ? scenario.workloads : scenario.workloads.slice(0, 1);
  const outputs = await outputsOf(parsed);
  const request = { kind: "eval", scenario: { ...scenario, workloads }, folder } as const;
  const event = await converse(request, progressBar(parsed.on("quiet")));
  if (event.kind !== "result") throw new Error(`unexpected answer ${event.kind}`);
  await writeOutputs(event.result, outputs, painter(parsed));
  return event.result.interrupted ? INTERRUPTED : 0;
}

export const evalCommand: Command = {
  name: "eval",
  summary: "Measures quality of a model's formats: KL divergence from f32, perplexity, accuracy.",
  usage: "[MODEL] [flags]",
  examples: ["eval", "eval --quant int8,int4-g32,int4-g128", "eval path/to/model --official -o json"],
  flags: FLAGS,
  positionals: 1,
  run,
};
