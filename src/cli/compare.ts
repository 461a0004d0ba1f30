// `nibblemark compare BEFORE AFTER`: what became slower, what faster, and what cannot be told; fails a build on request.

import { InputError } from "../core/errors.js";
import { comparisonSection } from "../report/comparison-section.js";
import { sectionMarkdown } from "../report/markdown.js";
import { sectionLines } from "../report/table.js";
import { compareRuns, scenarioDifferences } from "../stats/compare.js";
import type { Command } from "./command.js";
import type { Parsed } from "./flags.js";
import { readResultFile } from "./result-files.js";
import { painter } from "./terminal.js";

const REGRESSION = 1;

function checkFlags(parsed: Parsed): void {
  const failOn = parsed.text("fail-on") ?? "none";
  const output = parsed.text("output") ?? "table";
  if (parsed.positionals.length !== 2) {
    throw new InputError("nibblemark compare", "", "needs two result files", "Write nibblemark compare BEFORE AFTER");
  }
  if (failOn !== "none" && failOn !== "regression") {
    throw new InputError("nibblemark compare", "--fail-on", `"${failOn}" is unknown`, "Known: none, regression");
  }
  if (output !== "table" && output !== "md" && output !== "json") {
    throw new InputError("nibblemark compare", "--output", `"${output}" is unknown`, "Known: table, md, json");
  }
}

async function run(parsed: Parsed): Promise<number> {
  checkFlags(parsed);
  const [before = "", after = ""] = parsed.positionals;
  const [earlier, later] = [(await readResultFile(before)).run, (await readResultFile(after)).run];
  const differing = scenarioDifferences(earlier, later);
  if (differing.length > 0 && !parsed.on("any-scenario")) {
    const remedy =
      "Run the same scenario (bench --print-scenario), or say --any-scenario to compare the cases they share";
    throw new InputError(after, "scenario", `is not that of ${before}: ${differing.join("; ")}`, remedy);
  }
  const found = compareRuns(earlier, later);
  if (!found) {
    const remedy = "Compare runs of the same model, weights, test and target";
    throw new InputError(after, "cases", `has no case in common with ${before}`, remedy);
  }
  const format = parsed.text("output") ?? "table";
  if (format === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else if (format === "md") process.stdout.write(`${sectionMarkdown(comparisonSection(found))}\n`);
  else process.stdout.write(`${sectionLines(comparisonSection(found), painter(parsed)).join("\n")}\n`);
  if (!parsed.on("quiet")) process.stderr.write(found.warnings.map((line) => `note: ${line}\n`).join(""));
  const slower = found.cases.some(({ verdict }) => verdict === "slower");
  return slower && parsed.text("fail-on") === "regression" ? REGRESSION : 0;
}

export const compareCommand: Command = {
  name: "compare",
  summary: "Compares two results case by case: slower, faster, the same, or too few samples to tell.",
  usage: "BEFORE AFTER [flags]",
  examples: [
    "compare before.json after.json",
    "compare before.json after.json --fail-on regression",
    "compare llama-bench-old.json llama-bench-new.json -o md",
  ],
  flags: [
    { name: "fail-on", value: "WHAT", help: "regression: exit code 1 when a case became slower (default: none)" },
    { name: "any-scenario", help: "compare what two different scenarios share" },
    { name: "output", short: "o", value: "FORMAT", help: "table, md or json" },
  ],
  positionals: 2,
  run,
};
