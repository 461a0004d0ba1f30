// Flags of a watch that cannot do anything with the source and the model that were chosen: refused where the whole run would be in
// vain, else told.

import type { EventStatus, SourceName } from "../../core/counters.js";
import { InputError } from "../../core/errors.js";
import { countsMemory } from "../../counters/perf.js";
import { CAMP_EVENTS } from "../../delay/camp.js";
import type { Parsed } from "../flags.js";
import { writeStderr } from "./live-table.js";
import { STALL_EVENTS, type WatchModel } from "./watch-model.js";
import type { ChosenSource } from "./watch-sources.js";

/** What a model needs of a source, beyond lines: one event of each list. */
function needs(model: WatchModel["asked"]): readonly (readonly string[])[] {
  switch (model) {
    case "stall":
      return [STALL_EVENTS, ["cycles"]];
    case "cxlmemsim-v1":
      return [STALL_EVENTS];
    case "camp":
      return CAMP_EVENTS.map((event) => [event]);
    case "traffic":
    case "cxlmemsim":
    case null:
      return [];
    default:
      return model satisfies never;
  }
}

/** Why a model has no delay for what a source counts; null where it may have one. */
export function lacking(source: SourceName, events: readonly EventStatus[], model: WatchModel["asked"]): string | null {
  if (source === "none") return "source none counts nothing";
  if (source === "perf" && !countsMemory(events)) return "source perf has no event of memory here";
  const has = (event: string) => events.some((one) => one.event === event && one.available);
  const missing = needs(model).find((any) => !any.some(has));
  return missing ? `source ${source} has no ${missing[0]}, which model ${model} needs` : null;
}

function warnings(parsed: Parsed, model: WatchModel, chosen: ChosenSource, slows: boolean): string[] {
  const why = lacking(chosen.source.name, chosen.status.events, model.asked);
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
  const why = lacking(chosen.source.name, chosen.status.events, model.asked);
  if (parsed.on("inject") && why) {
    const problem = `can never inject anything: ${why}`;
    const remedy = "Use --slow FACTOR, another --source or another --delay (nibblemark doctor tells what works here)";
    throw new InputError(`nibblemark ${command}`, "--inject", problem, remedy);
  }
  if (parsed.on("quiet")) return;
  const slows = parsed.on("inject") || parsed.text("slow") !== undefined;
  for (const line of warnings(parsed, model, chosen, slows)) writeStderr(`warning: ${line}\n`);
}
