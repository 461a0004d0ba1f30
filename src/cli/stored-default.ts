// What a model runs in where nobody asked for a format: a checkpoint that is quantized already runs as its file has it, bit for
// bit; only one in 16 bits or more is rounded.

import { InputError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import type { Scenario, Workload } from "../core/scenario.js";
import { closeModel, openModel } from "../formats/index.js";
import { holdsQuantized } from "../model/plan.js";
import type { Parsed } from "./flags.js";

/** The scenario with `stored` for every named file that holds quantized matrices; as it is where formats were asked for. */
export async function preferStored(platform: Platform, scenario: Scenario, parsed: Parsed): Promise<Scenario> {
  if (parsed.on("quant") || parsed.on("scenario")) return scenario;
  const choose = async (workload: Workload): Promise<Workload> => {
    const { model } = workload;
    if (model.kind !== "file" || !(await isQuantized(platform, model.path))) return workload;
    return { ...workload, quants: ["stored"] };
  };
  return { ...scenario, workloads: await Promise.all(scenario.workloads.map(choose)) };
}

/** Reads headers. What cannot be opened is refused later, where every model is. */
async function isQuantized(platform: Platform, path: string): Promise<boolean> {
  try {
    const model = await openModel(platform, path);
    const quantized = holdsQuantized(model);
    await closeModel(model);
    return quantized;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
