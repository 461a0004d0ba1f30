// The delay model of a watch: topology, host, placement of regions, and the evaluation of one epoch.

import { LEAST_PROBES } from "../../core/counters.js";
import { InputError } from "../../core/errors.js";
import { type HostProfile, sealProfile } from "../../core/host.js";
import type { Platform } from "../../core/ports.js";
import type { RegionPlacer } from "../../core/regions.js";
import type { Topology } from "../../core/topology.js";
import type { DelayModelName } from "../../core/trace.js";
import { type CampFit, fitCamp, missingCampEvent, parseBenchmarks, parseFit } from "../../delay/camp.js";
import { type DelayExports, delayModelNamed, openDelayModels, replayEpochs } from "../../delay/models.js";
import { loadHost } from "../../placement/calibration.js";
import { regionPlacer } from "../../placement/regions.js";
import { loadDefaultHost, loadTopology } from "../../placement/topology.js";
import type { EpochWork, Evaluate } from "../../run/watch-epoch.js";
import type { Parsed } from "../flags.js";
import type { WatchSettings } from "../watch-flags.js";

export interface WatchModel {
  readonly topology: Topology;
  readonly host: HostProfile;
  readonly place: RegionPlacer;
  readonly rules: readonly string[];
  /** The model by name; null: by what the source counts. */
  readonly asked: DelayModelName | null;
  evaluator(model: DelayModelName): Evaluate;
}

async function campOf(platform: Platform, wasm: DelayExports, path: string | undefined): Promise<CampFit | null> {
  if (path === undefined) return null;
  const text = await platform.readText(path);
  return parseFit(path, text) ?? fitCamp(wasm, parseBenchmarks(path, text));
}

/** Whether a model has what it needs of one epoch. */
function canEvaluate(model: DelayModelName, { counters, pools }: EpochWork): boolean {
  if ((counters.probes ?? LEAST_PROBES) < LEAST_PROBES) return false;
  const lines = pools.some((pool) => pool.chaseLines + pool.demandLines + pool.streamedBytes + pool.writtenBytes > 0);
  switch (model) {
    case "traffic":
      return lines || counters.llcMisses !== undefined || (counters.probes ?? 0) >= LEAST_PROBES;
    case "stall":
      return counters.stallNs !== undefined || (counters.stallCycles !== undefined && Boolean(counters.cycles));
    case "camp":
      return missingCampEvent(counters) === null;
    case "cxlmemsim":
      return lines;
    case "cxlmemsim-v1":
      return counters.stallCycles !== undefined;
    default:
      return model satisfies never;
  }
}

/** Any of them counts as stall cycles, the first that there is. */
export const STALL_EVENTS = ["stallCycles", "stallsL3Miss", "stallsL2"];

/** The model for what a source counts: stalls, else lines. */
export function modelFor(events: readonly string[]): DelayModelName {
  return events.some((name) => STALL_EVENTS.includes(name)) ? "stall" : "traffic";
}

/** Loads what the flags name. Throws InputError. */
export async function openWatchModel(platform: Platform, parsed: Parsed, settings: WatchSettings): Promise<WatchModel> {
  const topology = await loadTopology(platform, parsed.text("topology") ?? "cxl-1hop");
  const path = parsed.text("host");
  const loaded = path ? await loadHost(platform, path) : await loadDefaultHost(platform);
  const host = settings.llcBytes === null ? loaded : sealProfile({ ...loaded, llcBytes: settings.llcBytes });
  const rules = parsed.all("place");
  const wasm = await openDelayModels(platform);
  const asked = parsed.text("delay");
  const camp = await campOf(platform, wasm, parsed.text("camp"));
  if (asked === "camp" && !camp) {
    throw new InputError("--delay", "camp", "has no coefficients for this host and device", "Give them: --camp FILE");
  }
  return {
    ...{ topology, host, rules },
    place: regionPlacer(rules, topology, settings.nearBytes),
    asked: asked === undefined ? null : delayModelNamed(asked),
    evaluator: (model) => (work) => {
      if (!canEvaluate(model, work)) return null;
      const options = { topology, host, threads: work.threads, camp: camp?.coefficients ?? null };
      const { nativeNs, counters, pools } = work;
      const epoch = { line: 0, phase: "", nativeNs, perPool: pools, counters };
      return replayEpochs(wasm, model, options, [{ epoch, pools }])[0]?.delay ?? null;
    },
  };
}
