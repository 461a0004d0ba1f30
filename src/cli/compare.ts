// `nibblemark compare BEFORE AFTER`: what became slower, what faster, and what cannot be told; fails a build on request.

import type { Comparison } from "../core/comparison.js";
import { InputError } from "../core/errors.js";
import type { RecordedRun } from "../core/recorded.js";
import { comparisonSection, fewSamples } from "../report/comparison-section.js";
import { sectionMarkdown } from "../report/markdown.js";
import { sectionLines } from "../report/table.js";
import { compareRuns, LEAST_SAMPLES, scenarioDifferences } from "../stats/compare.js";
import type { Command } from "./command.js";
import type { Parsed } from "./flags.js";
import { readResultFiles } from "./result-files.js";
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

/** @throws InputError where they timed other things */
function checkScenarios(before: string, earlier: RecordedRun, after: string, later: RecordedRun, any: boolean): void {
  if (earlier.tool !== later.tool) {
    const words = `was written by ${later.tool}, ${before} by ${earlier.tool}: they share no case`;
    throw new InputError(after, "", words, "Put them side by side with nibblemark report");
  }
  const differing = scenarioDifferences(earlier, later);
  if (differing.length > 0 && !any) {
    const remedy =
      "Run the same scenario (bench --print-scenario), or say --any-scenario to compare the cases they share";
    throw new InputError(after, "scenario", `is not that of ${before}: ${differing.join("; ")}`, remedy);
  }
}

function textOf(found: Comparison, format: string, parsed: Parsed): string {
  if (format === "json") return `${JSON.stringify(found, null, 2)}\n`;
  const section = comparisonSection(found, LEAST_SAMPLES);
  return format === "md" ? `${sectionMarkdown(section)}\n` : `${sectionLines(section, painter(parsed)).join("\n")}\n`;
}

async function run(parsed: Parsed): Promise<number> {
  checkFlags(parsed);
  const [before = "", after = ""] = parsed.positionals;
  const [earlier, later] = (await readResultFiles([before, after])).map((file) => file.run) as [
    RecordedRun,
    RecordedRun,
  ];
  checkScenarios(before, earlier, after, later, parsed.on("any-scenario"));
  const found = compareRuns(earlier, later);
  if (!found) {
    const remedy = "Compare runs of the same model, weights, test and target";
    throw new InputError(after, "cases", `has no case in common with ${before}`, remedy);
  }
  const format = parsed.text("output") ?? "table";
  const failing = parsed.text("fail-on") === "regression";
  process.stdout.write(textOf(found, format, parsed));
  if (!parsed.on("quiet")) process.stderr.write(found.warnings.map((line) => `note: ${line}\n`).join(""));
  const few = fewSamples(found, LEAST_SAMPLES);
  // A check that checked nothing is told of however quiet; the table has it in its notes.
  if (few !== null && (failing || (format === "json" && !parsed.on("quiet")))) process.stderr.write(`note: ${few}\n`);
  const worse = found.failed.length > 0 || found.cases.some(({ verdict }) => verdict === "slower");
  return worse && failing ? REGRESSION : 0;
}

export const compareCommand: Command = {
  name: "compare",
  summary: "Compares two results case by case: slower, faster, same, not told apart, or too few samples to tell.",
  details: [
    "Verdicts: slower and faster need at least 5 % and p under 0.05 of a permutation test of the medians; same is under 5 % apart;",
    "not told apart is further, but chance may well have done it: more rounds tell. Too few to tell: a side has under",
    `${LEAST_SAMPLES} samples: measure it again with bench --rounds ${LEAST_SAMPLES} or more, or llama-bench -r ${LEAST_SAMPLES} or more.`,
    "Cases that only one run has are named and fail nothing; those that ran before and failed after fail --fail-on regression.",
  ],
  usage: "BEFORE AFTER [flags]",
  examples: [
    "compare before.json after.json",
    "compare before.json after.json --fail-on regression",
    "compare llama-bench-old.json llama-bench-new.json -o md",
  ],
  flags: [
    {
      name: "fail-on",
      value: "WHAT",
      help: "regression: exit code 1 when a case became slower, or ran before and failed after (default: none)",
    },
    { name: "any-scenario", help: "compare what two different scenarios share" },
    { name: "output", short: "o", value: "FORMAT", help: "table, md or json" },
  ],
  positionals: 2,
  run,
};
