// `nibblemark sweep`: prune x heal x quantize x placement x topology; every line is appended as it comes, a later call goes on.

import { appendFile, readFile } from "node:fs/promises";
import { parseScheme } from "../compress/scheme.js";
import { InputError } from "../core/errors.js";
import type { SweepLine } from "../core/sweep.js";
import { openTrafficModel } from "../delay/traffic.js";
import { closeModel, openModel } from "../formats/index.js";
import { loadDefaultHost, loadTopology } from "../placement/topology.js";
import { nodePlatform } from "../platform/node.js";
import { chartPage } from "../report/chart-page.js";
import type { Chart } from "../report/html-client.js";
import { type Section, withoutDefaults } from "../report/section.js";
import { sweepChart, sweepSection } from "../report/sweep-section.js";
import { sectionLines } from "../report/table.js";
import { paretoFront } from "../stats/pareto.js";
import type { Command } from "./command.js";
import { HEALERS } from "./compress/request.js";
import { commaList, type Parsed, topologyList, wholeNumber } from "./flags.js";
import { checkWritable, htmlAssets } from "./outputs.js";
import { decodeSpeeds, type SpeedParts } from "./parts/fit-speed.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { compressOnce, formsOf, keyOf, type Recipe } from "./parts/sweep-run.js";
import { painter, progressBar } from "./terminal.js";

const fault = (field: string, problem: string, remedy: string) =>
  new InputError("nibblemark sweep", field, problem, remedy);

interface Matrix {
  readonly recipes: readonly Recipe[];
  readonly topologies: readonly string[];
  /** Each a set of rules; empty: the topology's own. */
  readonly placements: readonly (readonly string[])[];
}

function matrixOf(parsed: Parsed, model: string): Matrix {
  const list = (flag: string, otherwise: string) => commaList(parsed.text(flag) ?? otherwise);
  const prunes = list("prune", "0,1,2").map((text) => wholeNumber("sweep", "prune", text, 0, 4096));
  const heals = list("heal", "none,replaceme");
  const unknown = heals.find((name) => name !== "none" && !HEALERS.some((known) => known === name));
  if (unknown) throw fault("--heal", `"${unknown}" is unknown`, `Known: none, ${HEALERS.join(", ")}`);
  const quants = list("quant", "f16,rtn-int4-g128,awq-int4-g128");
  for (const quant of quants) parseScheme("--quant", quant);
  const criterion = parsed.text("criterion") ?? "block-influence";
  const extra = ["calib", "steps"].flatMap((flag) => {
    const value = parsed.text(flag);
    return value === undefined ? [] : [`--${flag}`, value];
  });
  const recipes = prunes.flatMap((prune) =>
    heals
      .filter((heal) => prune > 0 || heal === "none")
      .flatMap((heal) => quants.map((quant) => ({ model, prune, heal, quant, criterion, extra }))),
  );
  if (recipes.length === 0) throw fault("--heal", "leaves nothing to do", "Add none, or --prune above 0");
  const placements = parsed.all("placement").map((text) => (text === "default" ? [] : commaList(text)));
  const topologies = parsed.on("topology") ? parsed.all("topology").flatMap(topologyList) : ["local", "cxl-1hop"];
  return { recipes, topologies, placements: placements.length > 0 ? placements : [[]] };
}

/** Lines of earlier calls; a torn last one is measured again. */
async function readLines(path: string): Promise<SweepLine[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (text !== "" && !text.endsWith("\n")) await appendFile(path, "\n");
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as SweepLine];
    } catch {
      return [];
    }
  });
}

const lineKey = (recipe: Recipe, topology: string, rules: readonly string[]): string =>
  keyOf([recipe, topology, rules]);

async function measure(recipe: Recipe, { topologies, placements }: Matrix, work: string, speed: SpeedParts) {
  const report = await compressOnce(recipe, work);
  const platform = nodePlatform();
  const model = await openModel(platform, recipe.model);
  await closeModel(model);
  const last = report.stages[report.stages.length - 1];
  const value = (name: string) => last.figures[name]?.value ?? null;
  const [klText, klAnswer] = [value("klText"), value("klAnswer")];
  const known = [klText, klAnswer].filter((one) => one !== null);
  const context = Math.min(1024, model.config.decoder.maxContext);
  return placements.flatMap((rules) => {
    const speeds = decodeSpeeds(model.config, last.layers, formsOf(recipe.quant), "f16", context, speed, rules);
    return topologies.map((topology, i): SweepLine => {
      const { prune, heal, quant } = recipe;
      return {
        ...{
          schemaVersion: 1,
          key: lineKey(recipe, topology, rules),
          model: recipe.model,
          prune,
          heal,
          quant,
          topology,
        },
        ...{ placement: rules.join(", ") || "default", layers: last.layers, weightBytes: last.weightBytes },
        ...{ kl: known.length > 0 ? Math.max(...known) : null, klText, klAnswer, accuracy: value("accuracy") },
        tokensPerSecond: speeds[speed.topologies[i].name],
      };
    });
  });
}

/** A table and a chart for each topology. */
function viewsOf(matrix: Matrix, lines: readonly SweepLine[]): { readonly section: Section; readonly chart: Chart }[] {
  return matrix.topologies.map((topology) => {
    const keys = matrix.placements.flatMap((rules) => matrix.recipes.map((recipe) => lineKey(recipe, topology, rules)));
    const own = [...new Map(lines.map((line) => [line.key, line])).values()].filter(({ key }) => keys.includes(key));
    const point = ({ weightBytes, kl, tokensPerSecond }: SweepLine) => [
      weightBytes,
      kl ?? Number.POSITIVE_INFINITY,
      -tokensPerSecond,
    ];
    const front = paretoFront(own.map(point));
    const section = withoutDefaults(sweepSection(topology, own, front));
    return { section, chart: sweepChart(topology, own, front) };
  });
}

async function run(parsed: Parsed): Promise<number> {
  const [named, path] = parsed.positionals;
  if (named === undefined || path === undefined) {
    const remedy = "Write nibblemark sweep MODEL RESULTS.jsonl";
    throw fault(named === undefined ? "MODEL" : "RESULTS", "is missing", remedy);
  }
  const platform = nodePlatform();
  const model = named === "shipped" ? platform.packagePath(SHIPPED_MODEL) : named;
  const matrix = matrixOf(parsed, model);
  await checkWritable("RESULTS", path);
  const html = parsed.text("export-html");
  if (html !== undefined) await checkWritable("--export-html", html);
  const topologies = await Promise.all(matrix.topologies.map((name) => loadTopology(platform, name)));
  const host = await loadDefaultHost(platform);
  const speed: SpeedParts = { traffic: await openTrafficModel(platform), host, threads: 2, topologies };
  const lines = await readLines(path);
  const bar = progressBar(parsed.on("quiet"));
  for (const [done, recipe] of matrix.recipes.entries()) {
    const wanted = matrix.topologies.flatMap((name) => matrix.placements.map((rules) => lineKey(recipe, name, rules)));
    if (wanted.every((key) => lines.some((line) => line.key === key))) continue;
    const { prune, heal, quant } = recipe;
    bar.show({ stage: `${prune} blocks, ${heal}, ${quant}`, done, total: matrix.recipes.length });
    const made = await measure(recipe, matrix, `${path}.work`, speed);
    const fresh = made.filter(({ key }) => !lines.some((line) => line.key === key));
    await appendFile(path, fresh.map((line) => `${JSON.stringify(line)}\n`).join(""));
    lines.push(...fresh);
  }
  bar.clear();
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
  return 0;
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
    { name: "quant", value: "LIST", help: "schemes (default f16,rtn-int4-g128,awq-int4-g128)" },
    { name: "calib", value: "FILE", help: "calibration samples (default: those of the model)" },
    { name: "steps", value: "N", help: "of sft" },
    { name: "topology", value: "LIST", repeat: true, help: "simulated speed under these (default local,cxl-1hop)" },
    { name: "placement", value: "RULES", repeat: true, help: "one set of rules each, or default" },
    { name: "export-html", value: "FILE", help: "also write tables and plots as a page" },
  ],
  positionals: 2,
  run,
};
