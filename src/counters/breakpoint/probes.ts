// One round of debug registers: which addresses are armed on which threads, and what they saw. Four registers a thread: either two
// words looked at for all touches and one of them for stores too, or four words of one line that was just touched.

import { type NativeAddon, PROBE_WORDS } from "../../core/native.js";
import type { Region } from "../../core/regions.js";
import { type Aim, aimAtWord, otherWords } from "./aim.js";
import { type Closer, type Probe, WORDS_PER_LINE } from "./estimate.js";

/** Threads that are armed at most: each costs four system calls a round. */
const MOST_THREADS = 8;
/** A touch traps: about 15 us. */
export const TRAP_NS = 15_000;

interface Armed {
  readonly aim: Aim;
  readonly storesOnly: boolean;
  /** For a closer look at a line. */
  readonly closer: boolean;
}

export interface RoundResult {
  readonly probes: readonly Probe[];
  readonly closer: readonly Closer[];
  readonly traps: number;
  /** 0, or the errno why nothing could be armed. */
  readonly errno: number;
}

interface Seen extends Armed {
  readonly touches: number;
  readonly armedNs: number;
  readonly capped: boolean;
}

const NOTHING: RoundResult = { probes: [], closer: [], traps: 0, errno: 0 };

export interface Rounds {
  /** What the last round saw. */
  harvest(): RoundResult;
  /** Starts one on these threads; each register ends after `limit` touches. */
  arm(tids: readonly number[], regions: readonly Region[], limit: number): void;
  close(): void;
}

/** Whether a line that was touched is looked at closely next: half the time, so that both go on. */
const CLOSER_SHARE = 0.5;

export function openRounds(addon: NativeAddon, random: () => number, isPresent: (address: number) => boolean): Rounds {
  const points = new addon.Breakpoints();
  const out = new BigUint64Array(4 * MOST_THREADS * PROBE_WORDS);
  let armed: readonly Armed[] = [];
  let threads = 0;
  let errno = 0;
  let touched: Aim | null = null;

  function aims(regions: readonly Region[]): Armed[] {
    if (touched && random() < CLOSER_SHARE) {
      const { address, region } = touched;
      touched = null;
      const words = [address, ...otherWords(address, 3, random)];
      return words.map((one) => ({ aim: { address: one, region }, storesOnly: false, closer: true }));
    }
    const found = Array.from({ length: 3 }, () => aimAtWord(regions, random, isPresent)).filter((aim) => aim !== null);
    const words = found.map((aim) => ({ aim, storesOnly: false, closer: false }));
    const [first] = found;
    return first ? [...words, { aim: first, storesOnly: true, closer: false }] : [];
  }

  /** Sums of each armed word over the threads. */
  function seen(): Seen[] {
    const count = points.harvest(out);
    if (count !== armed.length * threads) return [];
    return armed.map((one, i) => {
      const own = Array.from({ length: threads }, (_, thread) => (thread * armed.length + i) * PROBE_WORDS);
      const total = (word: number) => own.reduce((sum, at) => sum + Number(out[at + word]), 0);
      return { ...one, touches: total(0), armedNs: total(1), capped: total(2) > 0 };
    });
  }

  return {
    harvest() {
      if (errno !== 0) return { ...NOTHING, errno };
      const list = seen();
      const plain = list.filter(({ closer, storesOnly }) => !closer && !storesOnly);
      const stores = list.find(({ storesOnly }) => storesOnly);
      const probes = plain.map(({ aim, touches, armedNs, capped }, i): Probe => {
        const region = aim.region.startAddress;
        return { region, touches, armedNs, capped, stores: i === 0 && stores ? stores.touches : null };
      });
      touched = plain.find(({ touches }) => touches > 0)?.aim ?? touched;
      const [center, ...others] = list.filter(({ closer }) => closer);
      const share = (one: Seen) => Math.min(1, one.touches / Math.max(1, center?.touches ?? 1));
      const closer: Closer[] =
        center && center.touches > 0
          ? [
              {
                region: center.aim.region.startAddress,
                words: 1 + ((WORDS_PER_LINE - 1) * others.reduce((sum, one) => sum + share(one), 0)) / others.length,
              },
            ]
          : [];
      return { probes, closer, traps: list.reduce((sum, { touches }) => sum + touches, 0), errno: 0 };
    },
    arm(tids, regions, limit) {
      armed = aims(regions);
      errno = 0;
      threads = 0;
      for (const tid of tids.slice(0, MOST_THREADS)) {
        const errors = armed.map(({ aim, storesOnly }) => -points.arm(tid, aim.address, storesOnly, limit));
        if (errors.every((error) => error === 0)) threads++;
        else errno = errors.find((error) => error !== 0) ?? 0;
      }
      // One thread that has just ended, or one register that a debugger holds, spoils the round only.
      if (errno !== 0) {
        points.close();
        armed = [];
        threads = 0;
        if (errno === 3) errno = 0;
      }
    },
    close: () => points.close(),
  };
}
