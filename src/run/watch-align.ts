// Epochs of an emulator have no time of their own: they take it from a native run of the same program, by instructions.

import type { CountedEpoch } from "../core/counters.js";
import { UnavailableError } from "../core/errors.js";
import type { CounterSession } from "../core/ports.js";

/** Gives each epoch its part of the native time, by its part of the instructions; threads alike. */
export function alignEpochs(epochs: readonly CountedEpoch[], nativeNs: number): CountedEpoch[] {
  const instructions = epochs.reduce((sum, { counters }) => sum + (counters.instructions ?? 0), 0);
  if (instructions === 0) {
    const remedy = "Use another --source.";
    throw new UnavailableError("aligning the emulated run", "it counted no instructions", remedy);
  }
  return epochs.map((epoch) => {
    const ns = ((epoch.counters.instructions ?? 0) / instructions) * nativeNs;
    const listed = epoch.threads.reduce((sum, { onCpuNs }) => sum + onCpuNs, 0);
    const threads = epoch.threads.map(({ tid, onCpuNs }) => ({
      tid,
      onCpuNs: listed > 0 ? (onCpuNs / listed) * ns : 0,
    }));
    const { taskClockNs: _, ...counters } = epoch.counters;
    return { ...epoch, nativeNs: ns, threads, counters: { ...counters, taskClockNs: ns } };
  });
}

/** A session whose epochs come all at the end, aligned with a native run that took `nativeNs`. */
export function alignedSession(session: CounterSession, nativeNs: number): CounterSession {
  const seen: CountedEpoch[] = [];
  return {
    read() {
      seen.push(...session.read());
      return [];
    },
    async finish() {
      return alignEpochs([...seen, ...(await session.finish())], nativeNs);
    },
    notes: [...session.notes, "times are those of a native run, shared out by instructions"],
    close: () => session.close(),
  };
}
