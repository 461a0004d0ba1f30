// What a sweep is asked for: the recipes, topologies and placements of its flags, and their checks before any work.

import { parseScheme } from "../../compress/scheme.js";
import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { Topology } from "../../core/topology.js";
import { closeModel, openModel } from "../../formats/index.js";
import { parsePlacement } from "../../placement/rules.js";
import { openEngine } from "../compress/engine.js";
import { modelPrint } from "../compress/prints.js";
import { checkReady, setReader } from "../compress/ready.js";
import { type CompressRequest, HEALERS } from "../compress/request.js";
import { compressCommand, requestOf } from "../compress.js";
import { commaList, type Parsed, parseFlags, topologyList, wholeNumber } from "../flags.js";
import { checkPlaced } from "./fit-speed.js";
import { argsOf, cellName, formsOf, type Recipe, splitQuant } from "./sweep-run.js";

export interface Matrix {
  readonly recipes: readonly Recipe[];
  readonly topologies: readonly string[];
  /** Each a set of rules; empty: the topology's own. */
  readonly placements: readonly (readonly string[])[];
}

const unique = <T>(list: readonly T[]): T[] => [
  ...new Map(list.map((entry) => [JSON.stringify(entry), entry])).values(),
];

const fault = (field: string, problem: string, remedy: string) =>
  new InputError("nibblemark sweep", field, problem, remedy);

export function matrixOf(parsed: Parsed, model: string): Matrix {
  const list = (flag: string, otherwise: string) => unique(commaList(parsed.text(flag) ?? otherwise));
  const prunes = unique(list("prune", "0,1,2").map((text) => wholeNumber("sweep", "prune", text, 0, 4096)));
  const heals = list("heal", "none,replaceme");
  const unknown = heals.find((name) => name !== "none" && !HEALERS.some((known) => known === name));
  if (unknown) throw fault("--heal", `"${unknown}" is unknown`, `Known: none, ${HEALERS.join(", ")}`);
  const quants = list("quant", "f16,rtn-int4-g128,awq-int4-g128");
  for (const quant of quants) parseScheme("--quant", splitQuant(quant).scheme);
  const criterion = parsed.text("criterion") ?? "block-influence";
  const extra = ["calib", "steps"].flatMap((flag) => {
    const value = parsed.text(flag);
    return value === undefined ? [] : [`--${flag}`, value];
  });
  const recipes = prunes.flatMap((prune) =>
    heals
      .filter((heal) => prune > 0 || heal === "none")
      .flatMap((heal) => {
        const chosen = prune > 0 ? criterion : null;
        return quants.map((quant) => ({ model, prune, heal, quant, criterion: chosen, extra }));
      }),
  );
  if (recipes.length === 0) throw fault("--heal", "leaves nothing to do", "Add none, or --prune above 0");
  const placements = parsed.all("placement").map((text) => (text === "default" ? [] : commaList(text)));
  const topologies = parsed.on("topology") ? parsed.all("topology").flatMap(topologyList) : ["local", "cxl-1hop"];
  return {
    recipes: recipes.map((recipe) => ({ ...recipe, prints: null })),
    topologies: unique(topologies),
    placements: placements.length > 0 ? unique(placements) : [[]],
  };
}

/** Throws InputError for a rule that names a pool of none of the topologies: it would do nothing anywhere. */
export function checkPools(placements: Matrix["placements"], topologies: readonly Topology[]): void {
  const sets = topologies.flatMap(({ interleaveSets }) => interleaveSets ?? []);
  const known = unique([...topologies.flatMap(({ pools }) => pools), ...sets].map(({ name }) => name));
  for (const rules of placements) {
    for (const [i, rule] of parsePlacement(rules).entries()) {
      const strange = Object.keys(rule.pools).find((name) => !known.includes(name));
      if (strange === undefined) continue;
      const problem = `no topology of this sweep has a pool ${strange}`;
      throw new InputError("--placement", rules[i], problem, `Their pools are: ${known.join(", ")}`);
    }
  }
}

const asked = (recipe: Recipe): Promise<CompressRequest> =>
  requestOf(parseFlags("compress", compressCommand.flags, argsOf(recipe, "sweep"), 2));

/** The recipes with hashes of what they read: the model's files, the calibration set. */
export async function withPrints(platform: Platform, recipes: readonly Recipe[]): Promise<Recipe[]> {
  const path = recipes[0].model;
  const model = await openModel(platform, path);
  try {
    const { calib, longest } = await asked(recipes[0]);
    const read = setReader(platform, { model });
    const set = calib === null ? null : await read(calib, Math.min(longest, model.config.decoder.maxContext));
    const prints = { model: await modelPrint(platform, model, path), calibration: set?.print ?? null };
    return recipes.map((recipe) => ({ ...recipe, prints }));
  } finally {
    await closeModel(model);
  }
}

/** Throws InputError naming the first cell that compress would refuse, or that a topology could not hold. */
export async function checkCells(
  platform: Platform,
  recipes: readonly Recipe[],
  placements: Matrix["placements"],
  topologies: readonly Topology[],
): Promise<void> {
  if (recipes.length === 0) return;
  const engine = await openEngine(platform, recipes[0].model, { threads: 1, dequantize: false });
  try {
    const read = setReader(platform, engine);
    const { config } = engine.model;
    for (const recipe of recipes) {
      await named(recipe, async () => {
        await checkReady(engine, await asked(recipe), read);
        const layers = config.decoder.layers - recipe.prune;
        for (const rules of placements) {
          for (const forms of formsOf(recipe.quant)) checkPlaced(config, layers, forms, topologies, rules);
        }
      });
    }
  } finally {
    await engine.close();
  }
}

/** Faults of a check with the cell's name in front. */
async function named(recipe: Recipe, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problem = `${error.source}${error.field === "" ? "" : `: ${error.field}`}: ${error.problem}`;
    throw fault(cellName(recipe), problem, `${error.remedy.replace(/\.$/, "")}, or leave this combination out`);
  }
}
