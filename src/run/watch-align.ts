// Epochs of an emulator have no time of their own: they take it from a native run of the same program, by instructions. Its epochs
// are of one thread each; here those of the threads that ran at about the same time are laid side by side.

import type { CountedEpoch } from "../core/counters.js";
import { UnavailableError } from "../core/errors.js";
import type { CounterSession } from "../core/ports.js";
import type { RunTimes } from "../core/watch.js";

const instructionsOf = ({ counters }: CountedEpoch): number => counters.instructions ?? 0;

/** Epochs by thread, in their order. */
function byThread(epochs: readonly CountedEpoch[]): CountedEpoch[][] {
  const threads = new Map<number, CountedEpoch[]>();
  for (const epoch of epochs) {
    const tid = epoch.threads[0]?.tid ?? 0;
    threads.set(tid, [...(threads.get(tid) ?? []), epoch]);
  }
  return [...threads.values()];
}

/** Cuts the run into as many slices as the thread with most epochs has, and spreads the others' evenly over them. */
function slicesOf(epochs: readonly CountedEpoch[]): CountedEpoch[][] {
  const threads = byThread(epochs);
  const count = Math.max(...threads.map(({ length }) => length));
  const slices = Array.from({ length: count }, (): CountedEpoch[] => []);
  for (const thread of threads) {
    thread.forEach((epoch, i) => {
      slices[Math.floor((i * count) / thread.length)]?.push(epoch);
    });
  }
  return slices;
}

function countersOf(slice: readonly CountedEpoch[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { counters } of slice) {
    for (const [name, count] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/** The slice took `ns`; its threads ran by their instructions, `cpuNs` in all, but none longer than the slice. */
function merged(slice: readonly CountedEpoch[], ns: number, cpuNs: number): CountedEpoch {
  const all = Math.max(
    1,
    slice.reduce((sum, epoch) => sum + instructionsOf(epoch), 0),
  );
  const most = Math.max(1, ...slice.map(instructionsOf));
  const taskClockNs = Math.min(cpuNs, (ns * all) / most);
  const threads = slice.flatMap((epoch) => {
    const onCpuNs = (taskClockNs * instructionsOf(epoch)) / all / Math.max(1, epoch.threads.length);
    return epoch.threads.map(({ tid }) => ({ tid, onCpuNs }));
  });
  return {
    nativeNs: ns,
    threads,
    counters: { ...countersOf(slice), taskClockNs },
    regions: slice.flatMap(({ regions }) => regions),
    runningShare: Math.min(...slice.map(({ runningShare }) => runningShare)),
    lost: slice.reduce((sum, { lost }) => sum + lost, 0),
  };
}

/**
 * Gives each slice of the run its part of the native times, by its part of the instructions: wall time, and the processor time in
 * which memory can delay it. Where that is not known the slowest thread is taken to have run all the time.
 */
export function alignEpochs(epochs: readonly CountedEpoch[], nativeNs: number, cpuNs = Infinity): CountedEpoch[] {
  const instructions = epochs.reduce((sum, epoch) => sum + instructionsOf(epoch), 0);
  if (instructions === 0) {
    const remedy = "Use another --source.";
    throw new UnavailableError("aligning the emulated run", "it counted no instructions", remedy);
  }
  return slicesOf(epochs).map((slice) => {
    const share = slice.reduce((sum, epoch) => sum + instructionsOf(epoch), 0) / instructions;
    return merged(slice, share * nativeNs, share * cpuNs);
  });
}

/** A session whose epochs come all at the end, aligned with a native run. */
export function alignedSession(session: CounterSession, native: RunTimes): CounterSession {
  const seen: CountedEpoch[] = [];
  const note =
    "times are those of a native run, shared out by instructions; its threads are taken to have run side by side";
  return {
    read() {
      seen.push(...session.read());
      return [];
    },
    async finish() {
      return alignEpochs([...seen, ...(await session.finish())], native.medianNs, native.cpuNs || undefined);
    },
    get notes() {
      return [...session.notes, note];
    },
    get incomplete() {
      return session.incomplete ?? false;
    },
    ...(session.regions ? { regions: () => session.regions?.() ?? [] } : {}),
    close: () => session.close(),
  };
}
