// From recorded rounds to medians and ratios. A sample counts where its core ran at full pace, had its processor to itself
// and others were quiet; where fewer than five rounds are so (of three or four: not all), all count and the figure says so.

import { type Middle, middle } from "../samples.js";
import { type Case, nameOf } from "./case.js";
import type { Timing } from "./child.js";
import { isQuiet } from "./load.js";
import type { Line, Opening, Round } from "./record.js";

/** A register loop that takes longer than this much of its best shares its core with a neighbour. */
const PACE = 1.2;
/** Share of its wall time that a one-thread sample must have had the processor. */
const OWN = 0.93;
const FEWEST = 5;

export interface CaseData {
  readonly task: Case;
  readonly rounds: readonly Round[];
  /** Of the last opening. */
  readonly opening: Opening | null;
  /** Largest error of all openings by `participant:arm`. */
  readonly errors: ReadonlyMap<string, number>;
  /** Best register loop, us, by participant. */
  readonly paces: ReadonlyMap<string, number>;
}

export interface Figure extends Middle {
  /** Only undisturbed samples. */
  readonly quiet: boolean;
}

export function caseData(task: Case, lines: readonly Line[]): CaseData {
  const own = lines.filter((line) => line.case === task.id);
  const rounds = own.filter((line) => line.kind === "round");
  const openings = own.filter((line) => line.kind === "opening");
  const paces = new Map<string, number>();
  for (const { samples } of rounds) {
    for (const [key, { paceUs }] of Object.entries(samples)) {
      const name = key.slice(0, key.lastIndexOf(":"));
      paces.set(name, Math.min(paceUs, paces.get(name) ?? paceUs));
    }
  }
  const errors = new Map<string, number>();
  for (const opening of openings) {
    for (const [key, error] of Object.entries(opening.errors)) errors.set(key, Math.max(error, errors.get(key) ?? 0));
  }
  return { task, rounds, opening: openings.at(-1) ?? null, errors, paces };
}

const rate = ({ amount, ns }: Timing): number => amount / ns;

function isCalm({ task, paces }: CaseData, key: string, timing: Timing): boolean {
  if (task.hog) return true;
  const name = key.slice(0, key.lastIndexOf(":"));
  const threads = task.participants.find((participant) => nameOf(participant) === name)?.threads ?? 1;
  const pace = paces.get(name) ?? timing.paceUs;
  return timing.paceUs <= PACE * pace && (threads > 1 || timing.cpuNs >= OWN * timing.ns);
}

/** Fastest of the keys in a round; null where none was timed, or one that was was disturbed and `calm` asks for better. */
function best(data: CaseData, { samples }: Round, keys: readonly string[], calm: boolean): number | null {
  const timed = keys.filter((key) => samples[key]);
  if (timed.length === 0 || (calm && !timed.every((key) => isCalm(data, key, samples[key])))) return null;
  return Math.max(...timed.map((key) => rate(samples[key])));
}

/** Median over rounds of a value that a round may not have. */
function figure(data: CaseData, value: (round: Round, calm: boolean) => number | null): Figure {
  const of = (rounds: readonly Round[], calm: boolean) =>
    rounds.map((round) => value(round, calm)).filter((found) => found !== null);
  const calm = of(
    data.rounds.filter(({ load }) => isQuiet(load)),
    true,
  );
  const all = of(data.rounds, false);
  const quiet = calm.length >= Math.min(FEWEST, Math.max(3, all.length));
  return { ...middle(quiet ? calm : all), quiet };
}

/** Matrices or tokens a ns. */
export const rateOf = (data: CaseData, key: string): Figure =>
  figure(data, (round, calm) => best(data, round, [key], calm));

/** How many times faster the best of `over` is than the best of `under`, round by round. */
export const ratioOf = (data: CaseData, over: readonly string[], under: readonly string[]): Figure =>
  figure(data, (round, calm) => {
    const [a, b] = [best(data, round, over, calm), best(data, round, under, calm)];
    return a === null || b === null ? null : a / b;
  });

/** Median of the cores that others used in the rounds; NaN where unknown. */
export function loadOf({ rounds }: CaseData): number {
  return middle(rounds.flatMap(({ load }) => (load === null ? [] : [load]))).median;
}
