// `nibblemark bench`: speed, memory and quality of a scenario; without arguments the default one with an HTML report.

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { InputError } from "../core/errors.js";
import type { BenchResult } from "../core/result.js";
import type { Scenario } from "../core/scenario.js";
import { nodePlatform } from "../platform/node.js";
import { FORMATS } from "../report/formats.js";
import { FIT_FLAG, runFit } from "./bench-fit.js";
import { benchHosts } from "./bench-hosts.js";
import type { Command } from "./command.js";
import { converse, INTERRUPTED } from "./conversation.js";
import type { Parsed } from "./flags.js";
import { OUTPUT_FLAGS, type Outputs, outputsOf, writeOutputs } from "./outputs.js";
import { SCENARIO_FLAGS, scenarioOf } from "./scenario-flags.js";
import { preferStored } from "./stored-default.js";
import { type ProgressBar, painter, progressBar } from "./terminal.js";

async function scenarioText(parsed: Parsed): Promise<string | null> {
  const path = parsed.text("scenario");
  if (path === undefined) return null;
  try {
    return path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (error) {
    throw new InputError(path, "--scenario", `cannot be read (${(error as Error).message})`, "Check the path");
  }
}

/** The default run leaves a page behind: `results/bench-2026-01-02T03-04-05.html`. */
function withDefaultPage(outputs: Outputs, parsed: Parsed): Outputs {
  const html = FORMATS.find(({ name }) => name === "html");
  const untouched = parsed.positionals.length === 0 && outputs.files.length === 0 && !parsed.on("scenario");
  if (!html || !untouched || outputs.stdout.name !== "table") return outputs;
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return { ...outputs, files: [{ path: `results/bench-${stamp}.html`, format: html }] };
}

const FLAGS = [...SCENARIO_FLAGS, FIT_FLAG, ...OUTPUT_FLAGS];

async function run(parsed: Parsed): Promise<number> {
  if (parsed.on("fit")) {
    return runFit(
      parsed,
      FLAGS.map(({ name }) => name),
    );
  }
  const scenario = await preferStored(nodePlatform(), scenarioOf(parsed, await scenarioText(parsed)), parsed);
  if (parsed.on("print-scenario")) {
    process.stdout.write(`${JSON.stringify(scenario, null, 2)}\n`);
    return 0;
  }
  const outputs = withDefaultPage(await outputsOf(parsed), parsed);
  const result = await measure(scenario, progressBar(parsed.on("quiet")));
  await writeOutputs(result, outputs, painter(parsed));
  if (!parsed.on("quiet")) process.stderr.write(closing(result, outputs));
  return result.interrupted ? INTERRUPTED : exitCode(result);
}

async function measure(scenario: Scenario, bar: ProgressBar): Promise<BenchResult> {
  if (scenario.hosts !== undefined) return benchHosts(scenario, bar);
  const event = await converse({ kind: "bench", scenario }, bar);
  if (event.kind !== "result") throw new Error(`unexpected answer ${event.kind}`);
  return event.result;
}

/** Where the files are; warnings too where stdout is not the table, which has them. */
function closing(result: BenchResult, { files, stdout }: Outputs): string {
  const warnings =
    stdout.name === "table" ? [] : result.warnings.map(({ message, remedy }) => `note: ${message}. ${remedy}`);
  const paths = files.map(
    ({ path, format }) => `${format.name === "html" ? "report with charts" : format.name}: ${path}`,
  );
  return [...warnings, ...paths].map((line) => `${line}\n`).join("");
}

/** 3 when not one case could run. */
function exitCode({ cases }: BenchResult): number {
  return cases.length > 0 && cases.every(({ state }) => state !== "measured") ? 3 : 0;
}

export const benchCommand: Command = {
  name: "bench",
  summary: "Measures speed, memory and quality here, and tells what far memory would change.",
  usage: "[MODEL] [flags]",
  examples: [
    "bench",
    "bench --quant int4-g32 --target wasm-simd/1t --test pp64,tg16@d128 -o md",
    "bench --shape llava-1.5-7b --layers 2 --topology local,cxl-1hop --placement 'weights=interleave(dram:3,cxl0:1)'",
    'bench --topology "local,(1,(2,3)); latency 200,250 300,350 300,350"',
    "bench --targets all --quant int8 --test tg16,vision",
    "bench --shape llava-1.5-7b --fit 4GiB",
    "bench --print-scenario > mine.json && nibblemark bench --scenario mine.json --export-html report.html",
  ],
  flags: FLAGS,
  positionals: 1,
  run,
};
