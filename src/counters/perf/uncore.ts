// Counters outside the cores: memory controllers, CXL links, the kernel's cxl_pmu. They count for the whole machine, so they stand
// beside a program's own counts under names that begin with `system.`, and never enter a delay.

import type { EventStatus } from "../../core/counters.js";
import { COUNT_WORDS, eventError, type NativeAddon, type NativeCounterSet, SPEC_WORDS } from "../../core/native.js";
import type { EventTable } from "./tables.js";

/** An event unit of /sys/bus/event_source/devices that counts for a whole socket or device. */
export interface UncoreUnit {
  readonly name: string;
  /** Its number for perf_event_open. */
  readonly type: number;
  /** One core of each socket, from its cpumask. */
  readonly cpus: readonly number[];
}

export interface Uncore {
  readonly events: readonly EventStatus[];
  /** Differences since the last read, summed over units and sockets. */
  read(): Readonly<Record<string, number>>;
  close(): void;
}

interface Open {
  readonly event: string;
  readonly set: NativeCounterSet;
}

/** Opens what the table names and this machine has; what it lacks is told. */
export function openUncore(addon: NativeAddon, table: EventTable | null, units: readonly UncoreUnit[]): Uncore {
  const open: Open[] = [];
  const out = new BigUint64Array(COUNT_WORDS);
  const errors = new Int32Array(1);
  const events = Object.entries(table?.uncore ?? {}).map(([name, entry]): EventStatus => {
    const event = `system.${name}`;
    const own = units.filter((unit) => unit.name.startsWith(entry.unit));
    if (own.length === 0) {
      const reason = `there is no event unit ${entry.unit}`;
      return {
        event,
        available: false,
        reason,
        remedy: "Virtual machines rarely show one; it needs the hardware and its driver",
      };
    }
    let errno = 0;
    for (const { type, cpus } of own) {
      const words = [BigInt(type), 0n, BigInt(entry.config), BigInt(entry.config1), 0n];
      const set = new addon.CounterSet(new BigUint64Array(words.slice(0, SPEC_WORDS)));
      const opened = cpus.map((cpu) => {
        const count = set.attach(-1, cpu, errors);
        if (count === 0) errno = errors[0] as number;
        return count;
      });
      if (opened.some((count) => count > 0)) open.push({ event, set });
      else set.close();
    }
    if (!open.some((one) => one.event === event)) return { event, available: false, ...eventError(errno) };
    return { event, available: true, detail: `${entry.name} on ${own.length} units, the whole machine` };
  });
  return {
    events,
    read() {
      const counts: Record<string, number> = {};
      for (const { event, set } of open) {
        set.read(out);
        counts[event] = (counts[event] ?? 0) + Number(out[0]);
      }
      return counts;
    },
    close() {
      for (const { set } of open) set.close();
    },
  };
}
