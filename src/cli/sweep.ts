// `nibblemark sweep`: prune x heal x quantize x placement x topology; every line is appended as it comes, a later call goes on.

import { appendFile, readFile, rmdir } from "node:fs/promises";
import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { SweepCell, SweepFailure, SweepLine } from "../core/sweep.js";
import { openTrafficModel } from "../delay/traffic.js";
import { closeModel, openModel } from "../formats/index.js";
import { loadDefaultHost, loadTopology } from "../placement/topology.js";
import { takeLock } from "../platform/lock.js";
import { attempt, nodePlatform } from "../platform/node.js";
import { chartPage } from "../report/chart-page.js";
import type { Chart } from "../report/html-client.js";
import { type Section, withoutDefaults } from "../report/section.js";
import { sweepChart, sweepSection } from "../report/sweep-section.js";
import { sectionLines } from "../report/table.js";
import { paretoFront } from "../stats/pareto.js";
import type { Command } from "./command.js";
import { HEALERS } from "./compress/request.js";
import type { Parsed } from "./flags.js";
import { checkWritable, htmlAssets } from "./outputs.js";
import { fullContext, type SpeedParts } from "./parts/fit-speed.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { checkCells, checkPools, type Matrix, matrixOf, withPrints } from "./parts/sweep-matrix.js";
import { cellName, compressOnce, keyOf, type Recipe, sweepSpeeds } from "./parts/sweep-run.js";
import { painter, progressBar } from "./terminal.js";

const fault = (field: string, problem: string, remedy: string) =>
  new InputError("nibblemark sweep", field, problem, remedy);

/** Lines of earlier calls; a torn last one is measured again. */
async function readLines(path: string): Promise<(SweepLine | SweepFailure)[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (text !== "" && !text.endsWith("\n")) await appendFile(path, "\n");
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as SweepLine | SweepFailure];
    } catch {
      return [];
    }
  });
}

export const lineKey = (recipe: Recipe, topology: string, rules: readonly string[]): string =>
  keyOf(recipe, topology, rules);

const isMade = (line: SweepLine | SweepFailure): line is SweepLine => !("failed" in line);

function cellOf(recipe: Recipe, topology: string, rules: readonly string[]): SweepCell {
  const { model, prune, heal, quant, criterion, prints } = recipe;
  return {
    ...{ schemaVersion: 1, key: lineKey(recipe, topology, rules), model, prune, heal, quant, topology },
    ...{ placement: rules.join(", ") || "default", criterion },
    ...{ modelHash: prints?.model ?? "", calibrationHash: prints?.calibration ?? null },
  };
}

/** The recipe's lines; where it fails, lines that say so. */
async function measure(
  recipe: Recipe,
  { topologies, placements }: Matrix,
  work: string,
  config: ModelConfig,
  speed: SpeedParts,
): Promise<(SweepLine | SweepFailure)[]> {
  const report = await compressOnce(recipe, work);
  if (typeof report === "string") {
    return placements.flatMap((rules) =>
      topologies.map((topology) => ({ ...cellOf(recipe, topology, rules), failed: report })),
    );
  }
  const last = report.stages[report.stages.length - 1];
  const value = (name: string) => last.figures[name]?.value ?? null;
  const [klText, klAnswer] = [value("klText"), value("klAnswer")];
  const known = [klText, klAnswer].filter((one) => one !== null);
  return placements.flatMap((rules) => {
    const speeds = sweepSpeeds(config, last.layers, recipe.quant, fullContext(config), speed, rules);
    return topologies.map((topology, i): SweepLine => {
      return {
        ...cellOf(recipe, topology, rules),
        ...{ layers: last.layers, weightBytes: last.weightBytes },
        ...{ kl: known.length > 0 ? Math.max(...known) : null, klText, klAnswer, accuracy: value("accuracy") },
        tokensPerSecond: speeds[speed.topologies[i].name],
      };
    });
  });
}

interface View {
  readonly section: Section;
  readonly chart: Chart;
  readonly failures: number;
}

/** A table and a chart for each topology. */
function viewsOf(matrix: Matrix, lines: readonly (SweepLine | SweepFailure)[]) {
  return matrix.topologies.map((topology): View => {
    const keys = matrix.placements.flatMap((rules) => matrix.recipes.map((recipe) => lineKey(recipe, topology, rules)));
    // The last line of a cell holds, before what failed.
    const sorted = [...lines.filter((line) => !isMade(line)), ...lines.filter(isMade)];
    const all = [...new Map(sorted.map((line) => [line.key, line])).values()].filter(({ key }) => keys.includes(key));
    const own = all.filter(isMade);
    const point = ({ weightBytes, kl, tokensPerSecond }: SweepLine) => [
      weightBytes,
      kl ?? Number.POSITIVE_INFINITY,
      -tokensPerSecond,
    ];
    const front = paretoFront(own.map(point));
    const failures = all.flatMap((line) => (isMade(line) ? [] : [line]));
    const section = withoutDefaults(sweepSection(topology, own, front, failures));
    return { section, chart: sweepChart(topology, own, front), failures: failures.length };
  });
}

/** Makes what no earlier call has made, and appends it. @param lines grows */
async function makeMissing(
  matrix: Matrix,
  path: string,
  lines: (SweepLine | SweepFailure)[],
  speed: SpeedParts,
  quiet: boolean,
): Promise<void> {
  const platform = nodePlatform();
  const { recipes, topologies, placements } = matrix;
  const isKnown = (key: string) => lines.some((line) => line.key === key && isMade(line));
  const isMissing = (recipe: Recipe) =>
    topologies.some((name) => placements.some((rules) => !isKnown(lineKey(recipe, name, rules))));
  const missing = recipes.filter(isMissing);
  if (missing.length === 0) return;
  await checkCells(platform, missing, placements, speed.topologies);
  const model = await openModel(platform, missing[0].model);
  await closeModel(model);
  const bar = progressBar(quiet);
  const work = `${path}.work`;
  for (const [done, recipe] of missing.entries()) {
    bar.show({ stage: cellName(recipe), done, total: missing.length });
    const fresh = (await measure(recipe, matrix, work, model.config, speed)).filter(({ key }) => !isKnown(key));
    await attempt(path, () => appendFile(path, fresh.map((line) => `${JSON.stringify(line)}\n`).join("")));
    lines.push(...fresh);
  }
  bar.clear();
  // Where a cell failed its unfinished work stays: a later call goes on with it.
  await rmdir(work).catch(() => {});
}

async function run(parsed: Parsed): Promise<number> {
  const [named, path] = parsed.positionals;
  if (named === undefined || path === undefined) {
    const remedy = "Write nibblemark sweep MODEL RESULTS.jsonl";
    throw fault(named === undefined ? "MODEL" : "RESULTS", "is missing", remedy);
  }
  const platform = nodePlatform();
  const model = named === "shipped" ? platform.packagePath(SHIPPED_MODEL) : named;
  const asked = matrixOf(parsed, model);
  const topologies = await Promise.all(asked.topologies.map((name) => loadTopology(platform, name)));
  checkPools(asked.placements, topologies);
  await checkWritable("RESULTS", path);
  const html = parsed.text("export-html");
  if (html !== undefined) await checkWritable("--export-html", html);
  const matrix = { ...asked, recipes: await withPrints(platform, asked.recipes) };
  const host = await loadDefaultHost(platform);
  const speed: SpeedParts = { traffic: await openTrafficModel(platform), host, threads: 2, topologies };
  const release = await takeLock(`${path}.lock`, path);
  const lines = await readLines(path);
  await makeMissing(matrix, path, lines, speed, parsed.on("quiet")).finally(release);
  const views = viewsOf(matrix, lines);
  const sections = views.map(({ section }) => section);
  if (html !== undefined) {
    const page = {
      title: `nibblemark sweep ${named}`,
      lines: [`${lines.length} lines in ${path}`],
      charts: views.map(({ chart }) => chart),
      sections,
    };
    await platform.writeWhole(html, chartPage(page, await htmlAssets()));
  }
  process.stdout.write(sections.flatMap((section) => sectionLines(section, painter(parsed))).join("\n"));
  return views.some(({ failures }) => failures > 0) ? 2 : 0;
}

export const sweepCommand: Command = {
  name: "sweep",
  summary: "Prunes x heals x quantizes x places, and shows which results nothing else beats.",
  usage: "MODEL RESULTS.jsonl [flags]",
  examples: [
    "sweep shipped results.jsonl --prune 0,1,2 --heal none,replaceme --quant f16,awq-int4-g128",
    "sweep shipped results.jsonl --topology local,cxl-switch --placement default --placement 'weights=cxl0' --export-html sweep.html",
  ],
  flags: [
    { name: "prune", value: "LIST", help: "numbers of blocks to remove (default 0,1,2)" },
    { name: "criterion", value: "NAME", help: "how they are chosen (default block-influence)" },
    { name: "heal", value: "LIST", help: `none, ${HEALERS.join(", ")} (default none,replaceme)` },
    {
      name: "quant",
      value: "LIST",
      help: "schemes; SCHEME:X mixes 4 and 8 bits, at most X a weight (default f16,rtn-int4-g128,awq-int4-g128)",
    },
    { name: "calib", value: "FILE", help: "calibration samples (default: those of the model)" },
    { name: "steps", value: "N", help: "of sft" },
    { name: "topology", value: "LIST", repeat: true, help: "simulated speed under these (default local,cxl-1hop)" },
    { name: "placement", value: "RULES", repeat: true, help: "one set of rules each, or default" },
    { name: "export-html", value: "FILE", help: "also write tables and plots as a page" },
  ],
  positionals: 2,
  run,
};
