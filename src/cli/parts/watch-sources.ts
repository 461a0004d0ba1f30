// The counter sources of this machine, and which of them a watch uses: the named one, or the best that works.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceName, SourceStatus } from "../../core/counters.js";
import { InputError, UnavailableError } from "../../core/errors.js";
import type { NativeAddon } from "../../core/native.js";
import type { CounterSource, Platform } from "../../core/ports.js";
import { openBreakpoint } from "../../counters/breakpoint.js";
import { openEmulated } from "../../counters/emulated.js";
import { openNone } from "../../counters/none.js";
import type { SamplingUnit } from "../../counters/perf/sampling.js";
import { parseEventTable, parseProcessor, tableOf } from "../../counters/perf/tables.js";
import type { UncoreUnit } from "../../counters/perf/uncore.js";
import { countsMemory, openPerf, type PerfParts } from "../../counters/perf.js";
import { emulatorHost } from "../../platform/emulator.js";
import { cachedRegions, openPresence } from "./watched-memory.js";

/** Best first. */
export const SOURCE_NAMES: readonly SourceName[] = ["perf", "breakpoint", "emulated", "none"];

/** Instructions of an emulated epoch: some 5 ms of a core. */
const EMULATED_INSTRUCTIONS = 10_000_000;

export interface ChosenSource {
  readonly source: CounterSource;
  readonly status: SourceStatus & { readonly available: true };
}

const UNITS = "/sys/bus/event_source/devices";

/** Cores of a list as the kernel writes it: `0,28` or `0-3`. */
function cpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((part) => {
      const [first, last] = part.split("-").map(Number);
      if (first === undefined || Number.isNaN(first)) return [];
      return Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i);
    });
}

/** Units that have a cpumask count for a socket or a device, not for a task. */
function uncoreUnits(): UncoreUnit[] {
  if (!existsSync(UNITS)) return [];
  return readdirSync(UNITS).flatMap((name) => {
    try {
      const read = (file: string) => readFileSync(join(UNITS, name, file), "utf8");
      return [{ name, type: Number(read("type")), cpus: cpuList(read("cpumask")) }];
    } catch {
      return [];
    }
  });
}

/** The unit that samples operations where the core has one (AMD's IBS). */
export function samplingUnits(folder: string = UNITS): SamplingUnit[] {
  const name = "ibs_op";
  try {
    const type = Number(readFileSync(join(folder, name, "type"), "utf8"));
    return [{ name, type, formats: readdirSync(join(folder, name, "format")) }];
  } catch {
    return [];
  }
}

/** Number of the core's event unit where raw codes are not of PERF_TYPE_RAW (Arm). */
function rawType(): number | undefined {
  try {
    const unit = readdirSync(UNITS).find((name) => name.startsWith("armv8_pmuv3"));
    return unit ? Number(readFileSync(join(UNITS, unit, "type"), "utf8")) : undefined;
  } catch {
    return undefined;
  }
}

/** The event table of this processor. */
export async function eventTable(platform: Platform) {
  const folder = platform.packagePath("profiles/events");
  const names = (await platform.list(folder)).filter((name) => name.endsWith(".json"));
  const tables = await Promise.all(
    names.map(async (name) => parseEventTable(name, await platform.readText(join(folder, name)))),
  );
  const cpuinfo = await platform.readText("/proc/cpuinfo").catch(() => "");
  return tableOf(tables, parseProcessor(cpuinfo));
}

export interface SourceOptions {
  /** Effective last-level cache, for sources that count touches. */
  readonly llcBytes: number;
  /** The emulator follows one of 2^n sets of the cache; absent: all. */
  readonly sampleShift?: number;
}

/** What the source perf needs of this machine. */
export async function perfParts(platform: Platform, addon: NativeAddon): Promise<PerfParts> {
  const type = rawType();
  const units = uncoreUnits();
  const table = await eventTable(platform);
  const { clock } = platform;
  return {
    addon,
    clock,
    table,
    units,
    samplingUnits: samplingUnits(),
    regionsOf: cachedRegions(clock),
    ...(type === undefined ? {} : { rawType: type }),
  };
}

/** All sources; opening one costs nothing until it is probed. */
export async function openSources(
  platform: Platform,
  addon: NativeAddon,
  options: SourceOptions,
): Promise<CounterSource[]> {
  const perf = await perfParts(platform, addon);
  const { clock } = platform;
  return [
    openPerf(perf),
    openBreakpoint({ addon, clock, regionsOf: cachedRegions(clock), presenceOf: openPresence, ...options }),
    openEmulated(emulatorHost(), { ...options, epochInstructions: EMULATED_INSTRUCTIONS }),
    openNone(addon, clock),
  ];
}

/** The source of `--source`, or the best one. Throws UnavailableError with the reason of the named one. */
export async function chooseSource(sources: readonly CounterSource[], name: string | undefined): Promise<ChosenSource> {
  if (name !== undefined) {
    const source = sources.find((one) => one.name === name);
    if (!source) {
      const problem = `"${name}" is no source`;
      throw new InputError(
        "--source",
        "",
        problem,
        `Known: ${SOURCE_NAMES.join(", ")}; recorded traces: nibblemark replay.`,
      );
    }
    const status = await source.probe();
    if (status.available) return { source, status };
    throw new UnavailableError(`source ${name}`, status.reason, status.remedy);
  }
  let fallback: ChosenSource | null = null;
  for (const source of sources) {
    // An emulator runs the program again and slowly: only where it is asked for.
    if (source.launch) continue;
    const status = await source.probe();
    if (!status.available) continue;
    if (source.name !== "perf" || countsMemory(status.events)) return { source, status };
    fallback ??= { source, status };
  }
  if (fallback) return fallback;
  throw new UnavailableError("every counter source", "none works here", "See nibblemark doctor.");
}
