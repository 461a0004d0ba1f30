// The source `breakpoint`: debug registers count touches of sampled words of a running program. Needs no hardware counters, works
// on any process of ours, and gives estimates by region with 95 % intervals.

import {
  type CountedEpoch,
  LEAST_PROBES,
  type RegionLines,
  type SourceStatus,
  type Span,
  type ThreadTime,
} from "../core/counters.js";
import { UnavailableError } from "../core/errors.js";
import { eventError, type NativeAddon } from "../core/native.js";
import type { Clock, CounterSession, CounterSource } from "../core/ports.js";
import type { Region } from "../core/regions.js";
import { openThreadTimes } from "../core/thread-times.js";
import { openRandom } from "./breakpoint/aim.js";
import { estimateRates, type RegionRate } from "./breakpoint/estimate.js";
import { LONGEST_LOOK_NS, openRounds, TRAP_NS } from "./breakpoint/probes.js";

export interface BreakpointParts {
  readonly addon: NativeAddon;
  readonly clock: Clock;
  /** Effective last-level cache. */
  readonly llcBytes: number;
  /** Mappings with what is in memory; null when the process is gone. */
  readonly regionsOf: (pid: number) => readonly Region[] | null;
  /** Whether pages are in memory; null where it cannot be told. */
  readonly presenceOf: (pid: number) => { isPresent(address: number): boolean; close(): void } | null;
}

/** Estimates are made anew after so long. */
const ESTIMATE_NS = 250e6;
/** A program that has just started changes more, and is looked at more often. */
const EARLY_NS = 1e9;
/** Share of the program's time that traps may take. */
const TRAP_SHARE = 0.02;
const SEED = 0x9e3779b9;
/** Looks are so much longer than the time that replaces the cache, and not shorter than a few epochs. */
const LOOK_OVER = 2.5;
const SHORTEST_LOOK_NS = 20e6;

const times = (span: Span, by: number): Span => [span[0] * by, span[1] * by];

function linesOf(region: Region, rate: RegionRate, onCpuNs: number): RegionLines {
  const { startAddress, sizeBytes, name } = region;
  return {
    ...{ startAddress, sizeBytes, name, strideLines: [0, 0] as const },
    streamLines: times(rate.stream, onCpuNs),
    irregularLines: times(rate.irregular, onCpuNs),
    writtenLines: times(rate.written, onCpuNs),
  };
}

function openSession(parts: BreakpointParts, root: number): CounterSession {
  const { addon, clock, llcBytes, regionsOf, presenceOf } = parts;
  const threads = openThreadTimes(addon, root, clock);
  let pid = root;
  let presence = presenceOf(pid);
  const rounds = openRounds(addon, openRandom(SEED), (address) => presence?.isPresent(address) ?? true);
  let regions: readonly Region[] = [];
  let rates: readonly RegionRate[] = [];
  let aimed = { probes: 0, touched: 0 };
  let estimateDueNs = 0;
  let lastNs = clock.nowNs();
  let trapsNs = 0;
  let allNs = 0;

  /** Only one address space is looked at: that of the process that runs most. */
  function follow(busiest: number): void {
    if (busiest === pid) return;
    presence?.close();
    pid = busiest;
    presence = presenceOf(pid);
    rounds.reset();
    [regions, rates] = [[], []];
  }

  function estimate(nowNs: number): void {
    if (nowNs < estimateDueNs) return;
    follow(threads.busiest());
    // An exec gives the process another memory; what was opened before it still shows the old one.
    presence?.close();
    presence = presenceOf(pid);
    regions = regionsOf(pid) ?? regions;
    const seen = rounds.probes();
    aimed = { probes: seen.length, touched: seen.filter(({ touchedNs }) => touchedNs !== null).length };
    const estimated = estimateRates(seen, rounds.closer(), regions, llcBytes);
    rates = estimated.rates;
    const { replacedNs } = estimated;
    // Twice the time that replaces the cache is what estimates look at; then other words are.
    const lookNs = replacedNs === null ? LONGEST_LOOK_NS : Math.max(SHORTEST_LOOK_NS, LOOK_OVER * replacedNs);
    rounds.aimFor(Math.min(LONGEST_LOOK_NS, lookNs), (replacedNs ?? 0) / 4);
    const restNs = allNs < EARLY_NS ? ESTIMATE_NS / 5 : ESTIMATE_NS;
    estimateDueNs = clock.nowNs() + Math.max(restNs, 20 * (clock.nowNs() - nowNs));
  }

  /** Threads of the process that is looked at, those that ran last first. */
  function runners(ran: readonly ThreadTime[]): number[] {
    const own = threads.tids(pid);
    const lately = [...ran].sort((a, b) => b.onCpuNs - a.onCpuNs).map(({ tid }) => tid);
    return [...lately.filter((tid) => own.includes(tid)), ...own.filter((tid) => !lately.includes(tid))];
  }

  function read(): CountedEpoch[] {
    const nowNs = clock.nowNs();
    const nativeNs = nowNs - lastNs;
    lastNs = nowNs;
    const ran = threads.read();
    const onCpuNs = ran.reduce((sum, thread) => sum + thread.onCpuNs, 0);
    estimate(nowNs);
    // Too dear so far: nothing new is looked at.
    const { traps, errno } = rounds.turn(runners(ran), regions, trapsNs <= TRAP_SHARE * allNs);
    const overheadNs = traps * TRAP_NS;
    trapsNs += overheadNs;
    allNs += nativeNs;
    const lines = regions.flatMap((region, i) => {
      const rate = rates[i];
      return aimed.probes >= LEAST_PROBES && rate && rate.stream[1] + rate.irregular[1] > 0
        ? [linesOf(region, rate, onCpuNs)]
        : [];
    });
    const lost = errno === 0 ? 0 : 1;
    return [{ nativeNs, threads: ran, counters: aimed, regions: lines, runningShare: 1, lost, overheadNs }];
  }

  return {
    read,
    finish: async () => read(),
    notes: [
      "lines are estimates from sampled touches (of the busiest process only): 95 % intervals",
      ...(presence ? [] : ["/proc/PID/pagemap cannot be read: many probes fall on memory that is not there"]),
    ],
    close() {
      rounds.close();
      presence?.close();
    },
  };
}

export function openBreakpoint(parts: BreakpointParts): CounterSource {
  const { addon } = parts;
  /** Arms a register on ourselves: the address of nothing in particular is enough. */
  function probe(): SourceStatus {
    const points = new addon.Breakpoints();
    const errno = Math.max(0, -points.arm(0, 4096, false, 1));
    points.close();
    if (errno === 0) return { available: true, detail: "debug registers, sampled touches", events: [] };
    return { available: false, ...eventError(errno), events: [] };
  }
  return {
    name: "breakpoint",
    probe: async () => probe(),
    launch: null,
    async open(pid) {
      const status = probe();
      if (!status.available) throw new UnavailableError("source breakpoint", status.reason, status.remedy);
      return openSession(parts, pid);
    },
  };
}
