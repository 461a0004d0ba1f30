// On-CPU time of each thread of a watched program, as differences. What reading /proc costs is bounded: where there are so many
// threads that it would take more than a share of the time, they are read less often and the time between is shared out alike.

import type { ThreadTime } from "./counters.js";
import type { NativeAddon } from "./native.js";
import { THREAD_NUMBERS } from "./native.js";
import type { Clock } from "./ports.js";

/** Share of the wall time that reading may take. */
const MOST_SHARE = 0.05;

export interface ThreadTimes {
  /** Threads that ran since the last call. */
  read(): readonly ThreadTime[];
  /** Threads there are now, those that slept too; of one process or of all. */
  tids(pid?: number): readonly number[];
  /** The process whose threads ran longest before the last read. */
  busiest(): number;
}

interface Seen {
  readonly pid: number;
  readonly tid: number;
  readonly onCpuNs: number;
}

/** Watches a process, its threads and its descendants. */
export function openThreadTimes(addon: NativeAddon, pid: number, clock: Clock): ThreadTimes {
  let buffer = new Float64Array(64 * THREAD_NUMBERS);
  let before = new Map<number, Seen>();
  let nextNs = 0;
  let busiest = pid;

  function list(): Seen[] {
    let count = addon.threads(pid, buffer);
    while (count * THREAD_NUMBERS > buffer.length) {
      buffer = new Float64Array(2 * count * THREAD_NUMBERS);
      count = addon.threads(pid, buffer);
    }
    return Array.from({ length: count }, (_, i) => ({
      pid: buffer[i * THREAD_NUMBERS] as number,
      tid: buffer[i * THREAD_NUMBERS + 1] as number,
      onCpuNs: buffer[i * THREAD_NUMBERS + 2] as number,
    }));
  }

  before = new Map(list().map((thread) => [thread.tid, thread]));
  return {
    read() {
      const startNs = clock.nowNs();
      if (startNs < nextNs) return [];
      const threads = list();
      const ran = threads
        .map((thread) => ({ ...thread, onCpuNs: thread.onCpuNs - (before.get(thread.tid)?.onCpuNs ?? 0) }))
        .filter(({ onCpuNs }) => onCpuNs > 0);
      before = new Map(threads.map((thread) => [thread.tid, thread]));
      busiest = busiestOf(ran) ?? busiest;
      const endNs = clock.nowNs();
      // A few threads cost microseconds and are read every time.
      nextNs = threads.length < 32 ? 0 : endNs + (endNs - startNs) / MOST_SHARE;
      return ran.map(({ tid, onCpuNs }) => ({ tid, onCpuNs }));
    },
    tids: (only) =>
      [...before.values()].filter((thread) => only === undefined || thread.pid === only).map(({ tid }) => tid),
    busiest: () => busiest,
  };
}

function busiestOf(ran: readonly Seen[]): number | null {
  const byProcess = new Map<number, number>();
  for (const { pid, onCpuNs } of ran) byProcess.set(pid, (byProcess.get(pid) ?? 0) + onCpuNs);
  const [first] = [...byProcess].sort((a, b) => b[1] - a[1]);
  return first?.[0] ?? null;
}
