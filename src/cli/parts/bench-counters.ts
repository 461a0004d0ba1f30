// Counters around the epochs of our own inference, and the delay models that need them.

import { UnavailableError } from "../../core/errors.js";
import type { HostProfile } from "../../core/host.js";
import type { Platform } from "../../core/ports.js";
import type { Scenario } from "../../core/scenario.js";
import { openProcessCounters } from "../../counters/perf.js";
import { CAMP_EVENTS, fitCamp, parseBenchmarks, parseFit } from "../../delay/camp.js";
import { openDelayModels, replayEpochs } from "../../delay/models.js";
import { tryNative } from "../../platform/native.js";
import type { EpochCounters, MemoryParts } from "../../run/parts.js";
import { perfParts } from "./watch-sources.js";

export interface BenchCounters extends EpochCounters {
  /** Events that can be believed here. */
  readonly events: readonly string[];
  close(): void;
}

/** null where nothing can be counted: no addon, no permission, no events. */
export async function openBenchCounters(platform: Platform): Promise<BenchCounters | null> {
  const addon = tryNative();
  if (!addon) return null;
  try {
    const open = openProcessCounters(await perfParts(platform, addon), process.pid);
    if (!open) return null;
    const events = open.events.filter(({ available }) => available).map(({ event }) => event);
    return { read: open.read, close: open.close, events };
  } catch (error) {
    if (error instanceof UnavailableError) return null;
    throw error;
  }
}

const NEEDED = { stall: ["cycles", "stallsL3Miss"], camp: CAMP_EVENTS } as const;

/** Throws UnavailableError when the scenario's delay model lacks events here; before anything is measured. */
export function checkDelayEvents({ delay: model }: Scenario, counters: BenchCounters | null): void {
  if (model === "traffic") return;
  const events = counters?.events ?? [];
  const counts = (name: string) =>
    events.includes(name) ||
    (name === "stallsL3Miss" && ["stallCycles", "stallsL2"].some((one) => events.includes(one)));
  const missing = NEEDED[model].filter((name) => !counts(name));
  if (missing.length === 0) return;
  const reason = `this machine does not count ${missing.slice(0, 3).join(", ")}`;
  throw new UnavailableError(
    `delay model ${model}`,
    reason,
    "Use --delay traffic; nibblemark doctor lists the events.",
  );
}

/** The delays of a counter-based model; undefined for `traffic`. Throws UnavailableError when its coefficients are missing. */
export async function countedDelays(
  platform: Platform,
  scenario: Scenario,
  host: HostProfile,
): Promise<MemoryParts["countedDelays"]> {
  const { delay: model, camp: path } = scenario;
  if (model === "traffic") return undefined;
  const wasm = await openDelayModels(platform);
  const text = path === undefined ? null : await platform.readText(path);
  const fit = path && text !== null ? (parseFit(path, text) ?? fitCamp(wasm, parseBenchmarks(path, text))) : null;
  if (model === "camp" && !fit) {
    throw new UnavailableError(
      "delay model camp",
      "it has no coefficients for this host and device",
      "Give --camp FILE.",
    );
  }
  return (topology, epochs, threads) => {
    const placed = epochs.map(({ nativeNs, counters: counts, pools }) => {
      const lines = pools.map((pool) => ({ ...pool, chaseLines: 0 }));
      return { epoch: { line: 0, phase: "", nativeNs, perPool: lines, counters: counts }, pools: lines };
    });
    const options = { topology, host, threads, camp: fit?.coefficients ?? null };
    return replayEpochs(wasm, model, options, placed).map(({ delay }) => delay.delayNs);
  };
}
