// `nibblemark eval`: quality of a model's formats beside f32, without timing.

import { access } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../core/errors.js";
import { nodePlatform } from "../platform/node.js";
import type { Command } from "./command.js";
import { converse, INTERRUPTED } from "./conversation.js";
import { BASE_FLAGS, evalBase } from "./eval-base.js";
import type { Flag, Parsed } from "./flags.js";
import { OUTPUT_FLAGS, outputsOf, writeOutputs } from "./outputs.js";
import type { EvalFolders } from "./parts/evalset.js";
import { SCENARIO_FLAGS, scenarioOf } from "./scenario-flags.js";
import { preferStored } from "./stored-default.js";
import { painter, progressBar } from "./terminal.js";

const NAMES = ["model", "quant", "activations", "target", "threads"];

const FLAGS: readonly Flag[] = [
  ...SCENARIO_FLAGS.filter(({ name }) => NAMES.includes(name)),
  { name: "official", help: "the full sets, which npm run eval makes in .cache/data/eval" },
  { name: "set", value: "FOLDER", help: "another folder with questions.jsonl, pictures.png, text.txt" },
  ...BASE_FLAGS,
  ...OUTPUT_FLAGS,
];

const OFFICIAL = join(".cache", "data", "eval");

/** The set to evaluate on; null for the model's own. Throws InputError when the named one is not there. */
async function foldersOf(parsed: Parsed): Promise<EvalFolders | null> {
  const own = parsed.text("set");
  if (own !== undefined && parsed.on("official")) {
    throw new InputError("nibblemark eval", "--set", "given beside --official", "Give one of them");
  }
  if (own !== undefined) {
    await mustExist(join(own, "questions.jsonl"), "Name a folder that has it");
    return { questions: [own], text: own };
  }
  if (!parsed.on("official")) return null;
  const questions = ["digits", "easy-vqa"].map((name) => join(OFFICIAL, name));
  const text = join(OFFICIAL, "text");
  const files = [...questions.map((folder) => join(folder, "questions.jsonl")), join(text, "text.txt")];
  for (const file of files) await mustExist(file, "Run npm run eval, which makes the sets");
  return { questions, text };
}

async function mustExist(path: string, remedy: string): Promise<void> {
  await access(path).catch(() => {
    throw new InputError(path, "", "does not exist", remedy);
  });
}

async function run(parsed: Parsed): Promise<number> {
  if (parsed.on("base") || parsed.on("save-base")) return evalBase(parsed);
  const folders = await foldersOf(parsed);
  const named = parsed.positionals.length > 0 || parsed.on("model");
  const scenario = await preferStored(nodePlatform(), scenarioOf(parsed, null), parsed);
  const workloads = named ? scenario.workloads : scenario.workloads.slice(0, 1);
  const outputs = await outputsOf(parsed);
  const request = { kind: "eval", scenario: { ...scenario, workloads }, folders } as const;
  const event = await converse(request, progressBar(parsed.on("quiet")));
  if (event.kind !== "result") throw new Error(`unexpected answer ${event.kind}`);
  await writeOutputs(event.result, outputs, painter(parsed));
  return event.result.interrupted ? INTERRUPTED : 0;
}

export const evalCommand: Command = {
  name: "eval",
  summary: "Measures quality of a model's formats: KL divergence from f32, perplexity, accuracy.",
  usage: "[MODEL] [flags]",
  examples: [
    "eval",
    "eval --quant int8,int4-g32,int4-g128",
    "eval path/to/model --official -o json",
    "eval model-awq --base model --text wiki.txt",
  ],
  flags: FLAGS,
  positionals: 1,
  run,
};
