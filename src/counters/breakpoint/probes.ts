// What the debug registers look at. Four a thread: words taken at random, some of them with a second register for stores only, and
// after a word was touched, that word beside another of its line. A register ends with its first touch, so that its time tells when
// that was. A look goes on over epochs until all is touched or its time ends it: reuse that is slower cannot be seen.

import { type NativeAddon, PROBE_WORDS } from "../../core/native.js";
import type { Region } from "../../core/regions.js";
import { type Aim, aimAtWord, otherWord } from "./aim.js";
import type { Closer, Probe } from "./estimate.js";

/** Registers of one thread, and threads that are armed at most: each register costs a system call to arm. */
const REGISTERS = 4;
const MOST_THREADS = 8;
/** A touch traps: about 15 us. */
export const TRAP_NS = 15_000;
/** On-CPU time after which a look ends at the latest, and the reads after which one at a thread that sleeps does. */
export const LONGEST_LOOK_NS = 200e6;
const LOOK_READS = 400;
/** A store this soon after the first touch belongs to its visit; and so long a line is looked at before a word counts as left out. */
const VISIT_NS = 100e3;
const LEFT_OUT_NS = 1e6;
/** How often a free pair of registers looks for stores too. */
const PAIRED_SHARE = 0.3;

type Kind = "word" | "paired" | "line";

interface Look {
  readonly kind: Kind;
  readonly aim: Aim;
  /** [registers][threads] numbers of the addon's probes. */
  readonly probes: readonly (readonly number[])[];
  readonly lookNs: number;
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
  /** Looks that start from now on last so long; only words that were first touched after `farNs` are worth a closer look. */
  aimFor(lookNs: number, farNs: number): void;
  /** Forgets all: another process is looked at. */
  reset(): void;
  close(): void;
}

/** Looks that estimates rest on: the last so many. */
const WINDOW = 3000;
const CLOSER_WINDOW = 300;

/** One register on all its threads. */
interface Seen {
  readonly touches: number;
  /** On-CPU ns of the program until the first touch; null: none yet. */
  readonly touchedNs: number | null;
  readonly armedNs: number;
}

/** ESRCH */
const ENDED = 3;

/** What threads saw, as times of the program: while one ran for a ns, others did too. */
function together(each: readonly { readonly touches: number; readonly ranNs: number }[]): Seen {
  const hits = each.filter(({ touches }) => touches > 0).map(({ ranNs }) => ranNs);
  const others = each.filter(({ touches }) => touches === 0).map(({ ranNs }) => ranNs);
  const sum = others.reduce((total, ns) => total + ns, 0);
  const beside = sum > 0 ? sum / Math.max(...others) : 0;
  const touchedNs = hits.length > 0 ? Math.min(...hits) * (1 + beside) : null;
  return { touches: hits.length, touchedNs, armedNs: sum + hits.reduce((total, ns) => total + ns, 0) };
}

export function openRounds(addon: NativeAddon, random: () => number, isPresent: (address: number) => boolean): Rounds {
  const points = new addon.Breakpoints();
  const out = new BigUint64Array(PROBE_WORDS);
  let looks: Look[] = [];
  let done: Probe[] = [];
  let lines: Closer[] = [];
  let touched: Aim[] = [];
  let [nextLookNs, farNs] = [LONGEST_LOOK_NS, 0];

  const seen = (probes: readonly number[]): Seen =>
    together(
      probes.map((probe) => {
        const [touches, ranNs] = points.read(probe, out) ? out : [0n, 0n];
        return { touches: Number(touches), ranNs: Number(ranNs) };
      }),
    );

  function probeOf({ kind, aim, probes, lookNs }: Look): Probe {
    const [all, stores] = probes.map(seen) as [Seen, Seen?];
    const { touchedNs, armedNs } = all;
    const storedNs = stores?.touchedNs ?? Number.POSITIVE_INFINITY;
    return {
      region: aim.region.startAddress,
      touchedNs,
      lookNs: touchedNs === null ? armedNs : Math.max(lookNs, touchedNs),
      stores: kind === "paired" && touchedNs !== null ? Math.abs(storedNs - touchedNs) < VISIT_NS : null,
    };
  }

  function compare({ aim, probes }: Look): void {
    const [center, other] = probes.map(seen) as [Seen, Seen];
    if (center.touchedNs === null) return;
    const leftOut = other.touchedNs === null;
    if (leftOut && other.armedNs - center.touchedNs < LEFT_OUT_NS) return;
    const apartNs = leftOut ? Number.POSITIVE_INFINITY : Math.abs((other.touchedNs as number) - center.touchedNs);
    lines = [...lines, { region: aim.region.startAddress, apartNs }].slice(-CLOSER_WINDOW);
  }

  function finish(look: Look): void {
    if (look.kind === "line") {
      compare(look);
    } else {
      const probe = probeOf(look);
      done = [...done, probe].slice(-WINDOW);
      if (probe.touchedNs !== null && probe.touchedNs >= farNs) touched = [...touched, look.aim].slice(-4);
    }
    disarm(look);
  }

  function disarm({ probes }: Look): void {
    for (const probe of probes.flat()) points.disarm(probe);
  }

  function isOver(look: Look): boolean {
    const registers = look.probes.map(seen);
    look.touches = registers.reduce((sum, one) => sum + one.touches, 0);
    look.reads++;
    const waiting = look.kind === "line" ? registers : registers.slice(0, 1);
    const late = registers.some(({ armedNs, touchedNs }) => touchedNs === null && armedNs >= look.lookNs);
    return waiting.every(({ touchedNs }) => touchedNs !== null) || late || look.reads >= LOOK_READS;
  }

  function begin(kind: Kind, aim: Aim, tids: readonly number[]): number {
    const second = kind === "line" ? otherWord(aim.address, random) : aim.address;
    const registers = kind === "word" ? [aim.address] : [aim.address, second];
    let errno = 0;
    const armed = registers.map((address, i) =>
      tids.map((tid) => {
        const probe = points.arm(tid, address, kind === "paired" && i === 1, 1);
        if (probe < 0 && probe !== -ENDED) errno = -probe;
        return probe;
      }),
    );
    // A thread that has ended touches nothing more; a program's first one may be listed until all have.
    const probes = armed.map((one) => one.filter((probe) => probe !== -ENDED));
    if (probes.some(({ length }) => length === 0)) errno = errno || ENDED;
    const look = { kind, aim, probes, lookNs: nextLookNs, reads: 0, touches: 0 };
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
      return { traps: after - before, errno: errno === ENDED ? 0 : errno };
    },
    probes: () => [...done, ...looks.filter(({ kind }) => kind !== "line").map(probeOf)],
    closer: () => lines,
    aimFor(lookNs, far) {
      [nextLookNs, farNs] = [lookNs, far];
    },
    reset() {
      looks.forEach(disarm);
      [looks, done, lines, touched] = [[], [], [], []];
      [nextLookNs, farNs] = [LONGEST_LOOK_NS, 0];
    },
    close: () => points.close(),
  };
}
