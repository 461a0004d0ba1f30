// The source `perf`: hardware counters of this processor where they can be believed, and the software events of every kernel. It
// takes the best set of events that the core counts at once (CAMP's, else stalls, else misses).

import type { EventStatus, SourceStatus } from "../core/counters.js";
import { UnavailableError } from "../core/errors.js";
import type { NativeAddon } from "../core/native.js";
import type { Clock, CounterSource } from "../core/ports.js";
import type { Region } from "../core/regions.js";
import { type OpSampling, openOpSampling, type SamplingUnit, samplingOf } from "./perf/sampling.js";
import { openCounts, openSession } from "./perf/session.js";
import { checkEvents, type EventSpec, fitsOneGroup, softwareSpecs, tableSpecs } from "./perf/specs.js";
import type { EventTable } from "./perf/tables.js";
import { openUncore, type UncoreUnit } from "./perf/uncore.js";

export interface PerfParts {
  readonly addon: NativeAddon;
  readonly clock: Clock;
  /** Of this processor. */
  readonly table: EventTable | null;
  /** Number of the core's event unit where raw codes need another than PERF_TYPE_RAW. */
  readonly rawType?: number;
  /** Event units outside the cores. */
  readonly units: readonly UncoreUnit[];
  /** Event units that sample by themselves. */
  readonly samplingUnits: readonly SamplingUnit[];
  /** Mappings, for the addresses of samples; null when the process is gone. */
  readonly regionsOf: (pid: number) => readonly Region[] | null;
}

interface Chosen {
  readonly specs: readonly EventSpec[];
  /** Name of the table's set; null: software events only. */
  readonly setName: string | null;
  readonly events: readonly EventStatus[];
  /** null: the table names no unit that samples operations. */
  readonly ops: OpSampling | null;
}

function isAvailable(events: readonly EventStatus[], name: string): boolean {
  return events.some(({ event, available }) => event === name && available);
}

/** Software events as far as permission goes: everything, else what happens in user mode. */
function software(addon: NativeAddon): { readonly specs: EventSpec[]; readonly events: EventStatus[] } {
  const all = softwareSpecs(false);
  const events = checkEvents(addon, all);
  if (events.some(({ available }) => available)) return { specs: all, events };
  const user = softwareSpecs(true);
  return { specs: user, events: checkEvents(addon, user) };
}

function choose({ addon, table, rawType, units, samplingUnits }: PerfParts): Chosen {
  const soft = software(addon);
  const hard = table ? tableSpecs(table, rawType) : [];
  const uncore = openUncore(addon, table, units);
  uncore.close();
  const ops = table?.opSample ? openOpSampling(addon, table.opSample, samplingUnits) : null;
  const events = [...soft.events, ...checkEvents(addon, hard), ...uncore.events, ...(ops ? [ops.status] : [])];
  const specs = soft.specs.filter(({ name }) => isAvailable(events, name));
  for (const { name: setName, events: names } of table?.sets ?? []) {
    const members = names.map((name) => hard.find((spec) => spec.name === name) as EventSpec);
    if (!members.every(({ name }) => isAvailable(events, name))) continue;
    if (fitsOneGroup(addon, members)) return { specs: [...specs, ...members], setName, events, ops };
  }
  // Nothing whole fits: what there is, multiplexed where it must be.
  const rest = hard.filter(({ name }) => isAvailable(events, name) && ["cycles", "instructions"].includes(name));
  return {
    specs: [...specs, ...rest],
    setName: rest.length > 0 ? rest.map(({ name }) => name).join(", ") : null,
    events,
    ops,
  };
}

/** Whether any event tells of misses or stalls, so that a delay can be computed. */
export function countsMemory(events: readonly EventStatus[]): boolean {
  return ["llcMisses", "stallCycles", "stallsL3Miss", "stallsL2"].some((name) => isAvailable(events, name));
}

/** Counters of one process to read around its own epochs; null where no event can be counted. */
export function openProcessCounters(parts: PerfParts, pid: number) {
  const { specs, events } = choose(parts);
  // Faults and switches say nothing of an epoch of inference.
  const useful = specs.filter(({ name, software: soft }) => !soft || name === "taskClockNs");
  if (useful.length === 0) return null;
  return { ...openCounts(parts.addon, parts.clock, pid, useful), events };
}

export function openPerf(parts: PerfParts): CounterSource {
  let chosen: Chosen | null = null;
  const choice = () => {
    chosen ??= choose(parts);
    return chosen;
  };
  return {
    name: "perf",
    async probe(): Promise<SourceStatus> {
      const { specs, setName, events } = choice();
      if (specs.length > 0) {
        const what = setName ? `${parts.table?.name}: set ${setName}` : "software events only, no hardware counters";
        return { available: true, detail: what, events };
      }
      const first = events.find(({ available }) => !available);
      const { reason, remedy } = first && !first.available ? first : { reason: "no event opens", remedy: "" };
      return { available: false, reason, remedy, events };
    },
    launch: null,
    async open(pid, waiting) {
      const { specs, ops } = choice();
      if (specs.length === 0) {
        throw new UnavailableError("source perf", "no event can be counted here", "See nibblemark doctor");
      }
      const { addon, clock, table, units, regionsOf } = parts;
      const extra = { uncore: openUncore(addon, table, units), ...samplingOf(table, specs, ops), regionsOf };
      return openSession(addon, clock, pid, waiting, specs, extra);
    },
  };
}
