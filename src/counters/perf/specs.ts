// Events as the addon takes them, and which of them can be believed here: each is opened and must be moved by a loop whose counts
// are known (an emulated machine opens raw codes that then read 0).

import type { EventStatus } from "../../core/counters.js";
import { COUNT_WORDS, EVENT_FLAGS, eventError, type NativeAddon, SPEC_WORDS } from "../../core/native.js";
import { MIB } from "../../core/units.js";
import type { EventTable } from "./tables.js";

/** PERF_TYPE_HARDWARE, SOFTWARE, HW_CACHE, RAW of linux/perf_event.h. */
const TYPES = { hardware: 0, software: 1, cache: 3, raw: 4 } as const;

export interface EventSpec {
  /** Our name of the event. */
  readonly name: string;
  readonly type: number;
  readonly config: bigint;
  readonly config1: bigint;
  /** 0 where absent. */
  readonly config2?: bigint;
  readonly excludeKernel: boolean;
  /** Hardware events share a group, so that they count the same time; software events are never multiplexed. */
  readonly software: boolean;
}

/** What every kernel counts. PERF_COUNT_SW_TASK_CLOCK, PAGE_FAULTS, CONTEXT_SWITCHES, CPU_MIGRATIONS. */
const SOFTWARE: readonly (readonly [name: string, config: bigint])[] = [
  ["taskClockNs", 1n],
  ["pageFaults", 2n],
  ["contextSwitches", 3n],
  ["migrations", 4n],
];

export function softwareSpecs(excludeKernel: boolean): EventSpec[] {
  return SOFTWARE.map(([name, config]) => ({
    ...{ name, type: TYPES.software, config, config1: 0n, software: true },
    // The clock is the task's own either way.
    excludeKernel,
  }));
}

/** The table's events; user mode only, which needs the least permission. `rawType`: of the core's unit where it is not PERF_TYPE_RAW. */
export function tableSpecs(table: EventTable, rawType: number = TYPES.raw): EventSpec[] {
  return Object.entries(table.events).map(([name, { kind, config, config1 }]) => ({
    name,
    type: kind === "raw" ? rawType : TYPES[kind],
    config: BigInt(config),
    config1: BigInt(config1),
    excludeKernel: true,
    software: false,
  }));
}

/** [specs * SPEC_WORDS] for the addon. */
export function specWords(specs: readonly EventSpec[], flags: number): BigUint64Array {
  const words = specs.flatMap((spec, i) => {
    const alone = i > 0 && spec.software !== (specs[i - 1] as EventSpec).software ? EVENT_FLAGS.ownGroup : 0;
    const all = flags | alone | (spec.excludeKernel ? EVENT_FLAGS.excludeKernel : 0);
    return [BigInt(spec.type), BigInt(all), spec.config, spec.config1, spec.config2 ?? 0n];
  });
  if (words.length !== specs.length * SPEC_WORDS) throw new Error("an event has other words than the addon reads");
  return new BigUint64Array(words);
}

const ROUNDS = 2_000_000;
/** Larger than the last-level cache of most machines, small enough for a guest of 256 MiB. */
export const CHASE_BYTES = 64 * MIB;
export const CHASE_STEPS = 200_000;
/** Few enough that the core counts them all at once. */
const AT_ONCE = 3;

/** What the counted loop makes an event count, at least and at most; null: the loops move it by any number above 0. */
function expected(name: string): readonly [number, number] | null {
  // Around the loop a few thousand of our own.
  if (name === "instructions") return [ROUNDS * 2 * 0.99, ROUNDS * 2 * 1.02];
  if (name === "cycles") return [ROUNDS / 8, Number.POSITIVE_INFINITY];
  return null;
}

interface Counted {
  readonly spec: EventSpec;
  readonly errno: number;
  /** Over the counted loop, and over the pointer chase. */
  readonly loop: number;
  readonly chase: number;
}

/** Counts of a few events over the known loops. */
function countLoops(addon: NativeAddon, specs: readonly EventSpec[]): Counted[] {
  const sets = specs.map((spec) => new addon.CounterSet(specWords([spec], 0)));
  const errors = new Int32Array(1);
  const out = new BigUint64Array(COUNT_WORDS);
  const readAll = () =>
    sets.map((set) => {
      set.read(out);
      return Number(out[0]);
    });
  try {
    const errnos = sets.map((set) => (set.attach(0, -1, errors) > 0 ? 0 : (errors[0] as number)));
    readAll();
    addon.loop(ROUNDS);
    const loops = readAll();
    if (errnos.some((errno) => errno === 0)) addon.chase(CHASE_BYTES, CHASE_STEPS);
    const chases = readAll();
    return specs.map((spec, i) => ({
      spec,
      errno: errnos[i] as number,
      loop: loops[i] as number,
      chase: chases[i] as number,
    }));
  } finally {
    for (const set of sets) set.close();
  }
}

/** Events of the kernel: a program may run without one of them. */
const UNFORCED = ["contextSwitches", "migrations"];

function judge({ spec, errno, loop, chase }: Counted): EventStatus {
  const event = spec.name;
  if (errno !== 0) return { event, available: false, ...eventError(errno) };
  if (UNFORCED.includes(event)) {
    if (!spec.excludeKernel) return { event, available: true, detail: "counted by the kernel itself" };
    const remedy = "Lower perf_event_paranoid to 1, or run as root";
    return { event, available: false, reason: "it happens in the kernel, which may not be counted here", remedy };
  }
  const range = expected(event);
  const [count, good] = range ? [loop, loop >= range[0] && loop <= range[1]] : [loop + chase, loop + chase > 0];
  if (good) return { event, available: true, detail: `${count} over a known loop` };
  const reason = `it opens, but a loop that must move it leaves it at ${count}`;
  return { event, available: false, reason, remedy: "Emulated and virtual machines do this: use another source" };
}

/** Which events can be believed on this machine, in the order given. Takes some 50 ms for every three that open. */
export function checkEvents(addon: NativeAddon, specs: readonly EventSpec[]): EventStatus[] {
  const batches = Array.from({ length: Math.ceil(specs.length / AT_ONCE) }, (_, i) =>
    specs.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
  return batches.flatMap((batch) => countLoops(addon, batch)).map(judge);
}

/** Whether the events count at the same time: one group, nothing multiplexed. */
export function fitsOneGroup(addon: NativeAddon, specs: readonly EventSpec[]): boolean {
  const set = new addon.CounterSet(specWords(specs, 0));
  try {
    const opened = set.attach(0, -1, new Int32Array(specs.length));
    const out = new BigUint64Array(specs.length * COUNT_WORDS);
    addon.loop(ROUNDS / 10);
    return opened === specs.length && set.read(out) === 1 && out[1] === out[2];
  } finally {
    set.close();
  }
}
