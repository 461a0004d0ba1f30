// What the debug registers look at. Four a thread: words taken at random, some of them with a second register for stores only, and
// after a word was touched, that word beside another of its line. A look goes on over epochs until its limit of touches or its
// time ends it: reuse that is slower than the time armed cannot be seen.

import { type NativeAddon, PROBE_WORDS } from "../../core/native.js";
import type { Region } from "../../core/regions.js";
import { type Aim, aimAtWord, otherWord } from "./aim.js";
import { type Closer, type Probe, WORDS_PER_LINE } from "./estimate.js";

/** Registers of one thread, and threads that are armed at most: each register costs a system call to arm. */
const REGISTERS = 4;
const MOST_THREADS = 8;
/** A touch traps: about 15 us. */
export const TRAP_NS = 15_000;
/** On-CPU time after which a look ends, and the reads after which one at a thread that sleeps does. */
const LOOK_NS = 200e6;
const LOOK_READS = 400;
/** Touches that end a look: two tell of a hot word; at a line more are compared. */
const WORD_LIMIT = 2;
const LINE_LIMIT = 6;
/** How often a free pair of registers looks for stores too. */
const PAIRED_SHARE = 0.3;

type Kind = "word" | "paired" | "line";

interface Look {
  readonly kind: Kind;
  readonly aim: Aim;
  /** [registers][threads] numbers of the addon's probes. */
  readonly probes: readonly (readonly number[])[];
  reads: number;
  touches: number;
}

export interface Rounds {
  /** Ends looks that are over and starts others on these threads. Gives the traps since the last call, and the errno of a refusal. */
  turn(
    tids: readonly number[],
    regions: readonly Region[],
    start: boolean,
  ): { readonly traps: number; readonly errno: number };
  /** What was seen so far, looks that still go on included. */
  probes(): readonly Probe[];
  closer(): readonly Closer[];
  /** Forgets all: another process is looked at. */
  reset(): void;
  close(): void;
}

/** Looks that estimates rest on: the last so many. */
const WINDOW = 3000;
const CLOSER_WINDOW = 300;

interface Seen {
  readonly touches: number;
  readonly armedNs: number;
  readonly capped: boolean;
}

export function openRounds(addon: NativeAddon, random: () => number, isPresent: (address: number) => boolean): Rounds {
  const points = new addon.Breakpoints();
  const out = new BigUint64Array(PROBE_WORDS);
  let looks: Look[] = [];
  let done: Probe[] = [];
  let lines: Closer[] = [];
  let touched: Aim[] = [];

  /** One register, summed over the threads. */
  function seen(probes: readonly number[]): Seen {
    const each = probes.map((probe) => {
      const [touches, armedNs, capped] = points.read(probe, out) ? [...out] : [0n, 0n, 0n];
      return { touches: Number(touches), armedNs: Number(armedNs), capped: capped === 1n };
    });
    return {
      touches: each.reduce((sum, one) => sum + one.touches, 0),
      armedNs: each.reduce((sum, one) => sum + one.armedNs, 0),
      capped: each.some((one) => one.capped),
    };
  }

  function probeOf(look: Look): Probe {
    const [all, stores] = look.probes.map(seen);
    const { touches = 0, armedNs = 0, capped = false } = all ?? {};
    const region = look.aim.region.startAddress;
    return { region, touches, armedNs, capped, stores: look.kind === "paired" && stores ? stores.touches : null };
  }

  function finish(look: Look): void {
    if (look.kind === "line") {
      const [center, other] = look.probes.map(seen);
      if (center && other && center.touches > 0) {
        const share = Math.min(1, other.touches / center.touches);
        const region = look.aim.region.startAddress;
        lines = [...lines, { region, words: 1 + (WORDS_PER_LINE - 1) * share }].slice(-CLOSER_WINDOW);
      }
    } else {
      const probe = probeOf(look);
      done = [...done, probe].slice(-WINDOW);
      if (probe.touches > 0) touched = [...touched, look.aim].slice(-4);
    }
    disarm(look);
  }

  function disarm({ probes }: Look): void {
    for (const probe of probes.flat()) points.disarm(probe);
  }

  /** true: the look is over. */
  function isOver(look: Look): boolean {
    const registers = look.probes.map(seen);
    look.touches = registers.reduce((sum, one) => sum + one.touches, 0);
    look.reads++;
    return registers.some((one) => one.capped || one.armedNs >= LOOK_NS) || look.reads >= LOOK_READS;
  }

  function begin(kind: Kind, aim: Aim, tids: readonly number[]): number {
    const limit = kind === "line" ? LINE_LIMIT : WORD_LIMIT;
    const second = kind === "line" ? otherWord(aim.address, random) : aim.address;
    const registers = kind === "word" ? [aim.address] : [aim.address, second];
    let errno = 0;
    const probes = registers.map((address, i) =>
      tids.map((tid) => {
        const probe = points.arm(tid, address, kind === "paired" && i === 1, limit);
        if (probe < 0) errno = -probe;
        return probe;
      }),
    );
    const look = { kind, aim, probes, reads: 0, touches: 0 };
    if (errno === 0) looks.push(look);
    else disarm(look);
    return errno;
  }

  /** Fills the free registers. */
  function fill(tids: readonly number[], regions: readonly Region[]): number {
    let free = REGISTERS - looks.reduce((sum, { probes }) => sum + probes.length, 0);
    while (free > 0) {
      const line = free >= 2 ? touched.pop() : undefined;
      const aim = line ?? aimAtWord(regions, random, isPresent);
      if (!aim) return 0;
      const kind = line ? "line" : free >= 2 && random() < PAIRED_SHARE ? "paired" : "word";
      const errno = begin(kind, aim, tids);
      if (errno !== 0) return errno;
      free -= kind === "word" ? 1 : 2;
    }
    return 0;
  }

  return {
    turn(tids, regions, start) {
      const before = looks.reduce((sum, { touches }) => sum + touches, 0);
      const over = looks.filter(isOver);
      const after = looks.reduce((sum, { touches }) => sum + touches, 0);
      looks = looks.filter((look) => !over.includes(look));
      over.forEach(finish);
      // A thread that has just ended (ESRCH) spoils one look only.
      const errno = start && tids.length > 0 ? fill(tids.slice(0, MOST_THREADS), regions) : 0;
      return { traps: after - before, errno: errno === 3 ? 0 : errno };
    },
    probes: () => [...done, ...looks.filter(({ kind }) => kind !== "line").map(probeOf)],
    closer: () => lines,
    reset() {
      looks.forEach(disarm);
      [looks, done, lines, touched] = [[], [], [], []];
    },
    close: () => points.close(),
  };
}
