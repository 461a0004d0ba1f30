// The epoch loop: sleeps, reads the counters, computes what the epoch would have cost, and, where asked, makes the program wait.
// Lengths are measured, never the nominal ones.

import type { CountedEpoch, ThreadTime } from "../core/counters.js";
import type { Clock, CounterSession } from "../core/ports.js";
import type { PlacedRegion, Region, RegionPlacer } from "../core/regions.js";
import type { MappingLines, WatchedEpoch } from "../core/watch.js";
import { activity, delayOf, type Evaluate, poolLines, residentShares } from "./watch-epoch.js";
import type { Debt } from "./watch-inject.js";
import { mappingLines } from "./watch-regions.js";

export interface WatchParts {
  readonly clock: Clock;
  readonly session: CounterSession;
  readonly pools: number;
  /** Waits at most `ns`; true when the program has ended. Lets signals and timers in. */
  wait(ns: number): Promise<boolean>;
  /** The program's mappings now, the same array while nothing was read anew; null when they cannot be read. */
  regions(): readonly Region[] | null;
  readonly place: RegionPlacer;
  readonly evaluate: Evaluate;
  /** null: predict only. */
  readonly debt: Debt | null;
  /** Keeps the end of a program back for so long, by not taking note of it; gives the ns. null: it is not ours to keep. */
  readonly keepBack: ((ns: number) => Promise<number>) | null;
  /** Slows the program by this factor instead of by the model; null: by the model. */
  readonly slowFactor: number | null;
  /** true ends the watch. */
  stopped(): boolean;
  /** `mappings`: its lines by mapping; null where the source knows no addresses. */
  onEpoch(epoch: WatchedEpoch, mappings: () => readonly MappingLines[] | null): void;
}

export interface WatchOptions {
  /** When the program was let go, or the watch began. */
  readonly startNs: number;
  readonly epochNs: number;
  /** null: until the program ends. */
  readonly durationNs: number | null;
}

export interface WatchEnding {
  /** false: the watch ended first. */
  readonly programEnded: boolean;
  readonly wallNs: number;
}

/** Where the regions live, kept up to date, and what each has cost so far. */
function openPlaces(parts: WatchParts) {
  const heat = new Map<number, number>();
  let placed: readonly PlacedRegion[] = [];
  let last: readonly Region[] | null = null;
  return {
    now(): readonly PlacedRegion[] {
      const regions = parts.regions();
      if (!regions || regions === last) return placed;
      last = regions;
      placed = parts.place(
        regions,
        regions.map(({ startAddress }) => heat.get(startAddress) ?? 0),
      );
      return placed;
    },
    warm({ regions }: CountedEpoch): void {
      for (const { startAddress, sizeBytes, streamLines, strideLines, irregularLines } of regions) {
        const lines = streamLines[1] + strideLines[1] + irregularLines[1];
        const home = placed.find(
          ({ region }) =>
            region.startAddress < startAddress + sizeBytes && startAddress < region.startAddress + region.sizeBytes,
        );
        if (home) heat.set(home.region.startAddress, (heat.get(home.region.startAddress) ?? 0) + lines);
      }
    },
  };
}

/** Where nothing is to be placed, mappings are not read at all. */
function tellsLines({ regions, counters }: CountedEpoch): boolean {
  return regions.length > 0 || counters.llcMisses !== undefined || counters.stallCycles !== undefined;
}

/** Sources are opened before a program is let go: what passed until then is no part of its first epoch. */
function sinceStart(epochs: readonly CountedEpoch[], elapsedNs: number): readonly CountedEpoch[] {
  const [first, ...rest] = epochs;
  if (!first || first.nativeNs === null) return epochs;
  const early = Math.max(0, epochs.reduce((sum, { nativeNs }) => sum + (nativeNs ?? 0), 0) - elapsedNs);
  return [{ ...first, nativeNs: Math.max(0, first.nativeNs - early) }, ...rest];
}

/** Watches until the program ends, the time is over, or someone stops it. */
export async function watch(parts: WatchParts, options: WatchOptions): Promise<WatchEnding> {
  const { clock, session, debt } = parts;
  const { startNs } = options;
  const places = openPlaces(parts);
  let usualThreads: readonly ThreadTime[] = [];
  let index = 0;
  let stoodNs = 0;
  let epochStartNs = 0;
  let owedNs = 0;

  const ownOnly = (epochs: readonly CountedEpoch[]) =>
    index === 0 ? sinceStart(epochs, clock.nowNs() - startNs) : epochs;

  function handle(read: CountedEpoch, timeNs: number, ended: boolean): void {
    // Where there are very many threads they are not read every time.
    if (read.threads.length > 0) usualThreads = read.threads;
    const counted = { ...read, threads: usualThreads };
    const placed = tellsLines(counted) ? places.now() : [];
    places.warm(counted);
    const nativeNs = Math.max(0, timeNs - stoodNs);
    const pools = poolLines(counted, placed, parts.pools);
    const delay = delayOf(counted, nativeNs, pools, parts.evaluate);
    const { onCpuNs, slowestNs } = activity(counted, nativeNs);
    stoodNs = 0;
    if (debt && !(ended && parts.keepBack === null)) {
      const modelled = delay ? (delay.slowestNs[0] + delay.slowestNs[1]) / 2 : 0;
      const wanted = parts.slowFactor === null ? modelled : slowestNs * (parts.slowFactor - 1);
      const overheadNs = counted.overheadNs ?? 0;
      if (ended) owedNs = debt.oweLast(wanted, overheadNs);
      else stoodNs = debt.owe(wanted, overheadNs);
    }
    const { threads, counters, runningShare, lost } = counted;
    const record = { index, startNs: epochStartNs, nativeNs, onCpuNs, threads, counters, runningShare, lost };
    const mappings = () => mappingLines(counted, placed, residentShares(placed, parts.pools));
    parts.onEpoch({ ...record, pools, delay, injectedNs: stoodNs }, mappings);
    epochStartNs += timeNs;
    index++;
  }

  for (;;) {
    const ended = await parts.wait(options.epochNs);
    const elapsedNs = clock.nowNs() - startNs;
    const over = parts.stopped() || (options.durationNs !== null && elapsedNs >= options.durationNs);
    if (ended || over) {
      for (const counted of ownOnly(await session.finish())) handle(counted, counted.nativeNs ?? 0, ended);
      if (debt && parts.keepBack && owedNs > 0) debt.keptBack(await parts.keepBack(owedNs));
      return { programEnded: ended, wallNs: clock.nowNs() - startNs };
    }
    for (const counted of ownOnly(session.read())) handle(counted, counted.nativeNs ?? 0, false);
  }
}
