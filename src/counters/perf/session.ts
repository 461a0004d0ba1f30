// Counters on a running program: opened on every thread there is, inherited by every thread and process that starts later.

import type { CountedEpoch, ThreadTime } from "../../core/counters.js";
import { InputError, UnavailableError } from "../../core/errors.js";
import { COUNT_WORDS, EVENT_FLAGS, eventError, type NativeAddon, type NativeCounterSet } from "../../core/native.js";
import type { Clock, CounterSession } from "../../core/ports.js";
import type { Region } from "../../core/regions.js";
import { openThreadTimes } from "../../core/thread-times.js";
import { type MissSamples, openSamples } from "./samples.js";
import type { Sampling } from "./sampling.js";
import { type EventSpec, specWords } from "./specs.js";
import type { Uncore } from "./uncore.js";

/** What a session has beside its counters. */
export interface SessionExtra extends Sampling {
  readonly uncore: Uncore;
  readonly regionsOf: (pid: number) => readonly Region[] | null;
}

/** Threads may start while counters are opened; so often it is tried anew. */
const TRIES = 6;

/** Epochs read in one go, at most. */
const MOST_GATHERED = 512;

/** Shares of the threads are looked at so often. */
const SHARES_NS = 20e6;

interface Opened {
  readonly set: NativeCounterSet;
  readonly errors: Int32Array;
  /** true: the threads changed at every try, so some may be counted twice or not at all. */
  readonly unsure: boolean;
}

function attachAll(addon: NativeAddon, pid: number, specs: readonly EventSpec[], flags: number, clock: Clock): Opened {
  const words = specWords(specs, flags);
  const errors = new Int32Array(specs.length);
  for (let tries = 1; ; tries++) {
    const before = openThreadTimes(addon, pid, clock).tids();
    if (before.length === 0) throw new InputError("pid", String(pid), "is gone", "Give the pid of a running process.");
    const set = new addon.CounterSet(words);
    const opened = before.map((tid) => set.attach(tid, -1, errors));
    const after = openThreadTimes(addon, pid, clock).tids();
    const same = after.length === before.length && after.every((tid) => before.includes(tid));
    if (same || tries === TRIES) {
      if (opened.some((count) => count > 0)) return { set, errors, unsure: !same };
      set.close();
      const { reason, remedy } = eventError(errors.find((errno) => errno !== 0) ?? 3);
      throw new UnavailableError(`counting process ${pid}`, reason, remedy);
    }
    set.close();
  }
}

/** Events of one read as counts; what did not run has no key. */
function countsOf(specs: readonly EventSpec[], errors: Int32Array, out: BigUint64Array) {
  const counters: Record<string, number> = {};
  let runningShare = 1;
  let lost = 0;
  for (const [i, { name, software }] of specs.entries()) {
    const at = i * COUNT_WORDS;
    const [enabled, running] = [Number(out[at + 1]), Number(out[at + 2])];
    if (errors[i] !== 0) continue;
    if (enabled > 0 && running === 0) {
      lost++;
      runningShare = 0;
      continue;
    }
    if (!software && enabled > 0) runningShare = Math.min(runningShare, running / enabled);
    counters[name] = Number(out[at]);
  }
  return { counters, runningShare, lost };
}

/** What the delay models call stall cycles: the best that was counted. */
function withStalls(counters: Record<string, number>): Record<string, number> {
  const stalls = counters.stallCycles ?? counters.stallsL3Miss ?? counters.stallsL2;
  return stalls === undefined ? counters : { ...counters, stallCycles: stalls };
}

/** Counts of a process and all its threads, without their times: cheap enough for epochs of microseconds. */
export function openCounts(addon: NativeAddon, clock: Clock, pid: number, specs: readonly EventSpec[]) {
  const { set, errors } = attachAll(addon, pid, specs, EVENT_FLAGS.inherit, clock);
  const out = new BigUint64Array(specs.length * COUNT_WORDS);
  return {
    read(): Readonly<Record<string, number>> {
      set.read(out);
      return withStalls(countsOf(specs, errors, out).counters);
    },
    close: () => set.close(),
  };
}

/** Sampling where it opens; else the note why addresses are unknown. */
function trySamples(addon: NativeAddon, extra: SessionExtra, tids: readonly number[], flags: number) {
  const { sample, sampled, unsampled } = extra;
  if (!sample || !sampled) return { samples: null, note: unsampled ? `no addresses of misses: ${unsampled}` : null };
  const opened = openSamples(addon, { ...sample, words: specWords([sampled], flags) }, tids);
  if (typeof opened !== "number") return { samples: opened, note: null };
  return { samples: null, note: `no addresses of misses: ${eventError(opened).reason}` };
}

/** Opens the events on a process. Throws InputError when it is gone and UnavailableError when none can be counted. */
export function openSession(
  addon: NativeAddon,
  clock: Clock,
  pid: number,
  waiting: boolean,
  specs: readonly EventSpec[],
  extra: SessionExtra,
): CounterSession {
  const { uncore } = extra;
  const flags = EVENT_FLAGS.inherit | (waiting ? EVENT_FLAGS.enableOnExec : 0);
  const { set, errors, unsure } = attachAll(addon, pid, specs, flags, clock);
  const threads = openThreadTimes(addon, pid, clock);
  const out = new BigUint64Array(specs.length * COUNT_WORDS);
  let lastNs = clock.nowNs();
  set.read(out);
  uncore.read();
  const { samples, note } = trySamples(addon, extra, threads.tids(), flags);

  function regionsWith(misses: number | undefined): CountedEpoch["regions"] {
    const regions = samples && misses !== undefined ? extra.regionsOf(pid) : null;
    return regions ? (samples as MissSamples).read(misses as number, regions) : [];
  }

  let sharesDueNs = 0;
  /** The task clock tells the sum exactly; how it is shared out needs a look into /proc only now and then. */
  function sharesOf(nowNs: number): readonly ThreadTime[] {
    if (nowNs < sharesDueNs) return [];
    sharesDueNs = nowNs + SHARES_NS;
    return threads.read();
  }

  let lostBefore = 0;
  /** Samples lost since the last call. */
  function newlyLost(): number {
    const all = samples?.lost() ?? 0;
    const fresh = all - lostBefore;
    lostBefore = all;
    return fresh;
  }

  function epochOf(words: BigUint64Array, nowNs: number, whole: boolean): CountedEpoch {
    const nativeNs = nowNs - lastNs;
    lastNs = nowNs;
    const { counters, runningShare, lost } = countsOf(specs, errors, words);
    const known = { nativeNs, runningShare, counters: withStalls(counters) };
    if (!whole) return { ...known, threads: [], regions: [], lost };
    return {
      ...known,
      threads: "taskClockNs" in counters ? sharesOf(nowNs) : threads.read(),
      counters: { ...known.counters, ...uncore.read() },
      regions: regionsWith(counters.llcMisses),
      lost: lost + newlyLost(),
    };
  }

  function readNow(): CountedEpoch {
    set.read(out);
    return epochOf(out, clock.nowNs(), true);
  }

  let gathered: CountedEpoch[] = [];
  function read(): CountedEpoch[] {
    const epochs = gathered.length > 0 ? gathered : [readNow()];
    gathered = [];
    return epochs;
  }

  const batch = new BigUint64Array(MOST_GATHERED * out.length);
  const times = new Float64Array(1 + MOST_GATHERED);
  /** The last epoch of a batch also tells the threads. */
  function gather(pidfd: number, epochNs: number, mostNs: number): boolean {
    const count = set.gather(pidfd, epochNs, mostNs, batch, times);
    for (let i = 0; i < count; i++) {
      const words = batch.subarray(i * out.length, (i + 1) * out.length);
      gathered.push(epochOf(words, times[i + 1] as number, i === count - 1));
    }
    return times[0] === 1;
  }

  const refused = specs.filter((_, i) => errors[i] !== 0).map(({ name }) => name);
  // Samples and the whole machine's counters belong to the epoch in which they are read.
  const clockIsCounted = specs.some(({ name }, i) => name === "taskClockNs" && errors[i] === 0);
  const canGather = clockIsCounted && samples === null && uncore.events.every(({ available }) => !available);
  return {
    read,
    ...(canGather ? { gather } : {}),
    finish: async () => [...gathered.splice(0), readNow()],
    notes: [
      ...(note ? [note] : []),
      ...(unsure ? ["threads started while counters were opened: some may be counted twice or not at all"] : []),
      ...(refused.length > 0 ? [`not counted on this process: ${refused.join(", ")}`] : []),
    ],
    close() {
      set.close();
      uncore.close();
      samples?.close();
    },
  };
}
