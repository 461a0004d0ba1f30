// Flags of a watch that cannot do anything with the source and the model that were chosen: refused where the whole run would be in
// vain, else told.

import { InputError } from "../../core/errors.js";
import { countsMemory } from "../../counters/perf.js";
import { CAMP_EVENTS } from "../../delay/camp.js";
import type { Parsed } from "../flags.js";
import { writeStderr } from "./live-table.js";
import type { WatchModel } from "./watch-model.js";
import type { ChosenSource } from "./watch-sources.js";

/** Why a model has no delay for what a source counts; null where it may have one. */
function lacking({ source, status }: ChosenSource, model: WatchModel["asked"]): string | null {
  const has = (event: string) => status.events.some((one) => one.event === event && one.available);
  if (source.name === "none") return "source none counts nothing";
  if (source.name === "perf" && !countsMemory(status.events)) return "source perf has no event of memory here";
  const missing =
    model === "stall"
      ? ["stallCycles", "cycles"]
      : model === "cxlmemsim-v1"
        ? ["stallCycles"]
        : model === "camp"
          ? CAMP_EVENTS
          : [];
  const first = missing.find((event) => !has(event));
  return first ? `source ${source.name} has no ${first}, which model ${model} needs` : null;
}

function warnings(parsed: Parsed, model: WatchModel, chosen: ChosenSource, slows: boolean): string[] {
  const why = lacking(chosen, model.asked);
  const rules = model.rules;
  const isPolicy = rules.includes("first-fit") || rules.includes("hot-first");
  const has = (flag: string) => parsed.text(flag) !== undefined;
  return [
    ...(has("delay") && why ? [`--delay ${model.asked}: ${why}: no delay can be told`] : []),
    ...(has("near") && !isPolicy ? ["--near is for --place first-fit and --place hot-first alone"] : []),
    ...(has("sample") && chosen.source.name !== "emulated" ? ["--sample is for --source emulated alone"] : []),
    ...(has("camp") && model.asked !== "camp" ? ["--camp is for --delay camp alone"] : []),
    ...(has("stop-by") && !slows ? ["--stop-by is for --inject and --slow alone"] : []),
  ];
}

/** Warns on stderr of flags without effect. Throws InputError for an `--inject` that could never inject. */
export function tellVainFlags(command: string, parsed: Parsed, model: WatchModel, chosen: ChosenSource): void {
  const why = lacking(chosen, model.asked);
  if (parsed.on("inject") && why) {
    const problem = `can never inject anything: ${why}`;
    const remedy = "Use --slow FACTOR, another --source or another --delay (nibblemark doctor tells what works here)";
    throw new InputError(`nibblemark ${command}`, "--inject", problem, remedy);
  }
  if (parsed.on("quiet")) return;
  const slows = parsed.on("inject") || parsed.text("slow") !== undefined;
  for (const line of warnings(parsed, model, chosen, slows)) writeStderr(`warning: ${line}\n`);
}
