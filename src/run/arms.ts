// The arms of a workload: every target x format x test that can run, and the cases that cannot with their reason.

import type { CaseBase, CaseResult } from "../core/result.js";
import { parseTest, type TestSpec, testTokens } from "../core/scenario.js";
import { epochRecorder, type RecordedEpoch } from "./epochs.js";
import type { Iteration } from "./evaluate.js";
import type { Control, Statistics, Subject } from "./parts.js";
import type { Arm } from "./rounds.js";
import { cannotRun, testBody } from "./tests.js";

/** An arm with what its rounds left behind. */
export interface CaseArm extends Arm {
  readonly base: CaseBase;
  readonly spec: TestSpec;
  readonly tokens: number;
  readonly subject: Subject;
  /** Epochs of each timed round: [rounds][epochs]. */
  readonly recorded: RecordedEpoch[][];
  /** Epochs of the rounds in which counters were read: [rounds][epochs]. */
  readonly counted: RecordedEpoch[][];
  /** Whether counters are read around each epoch; off at first. Reading takes some us, which no timed round shall pay. */
  count(on: boolean): void;
}

function caseBase(subject: Subject, test: string): CaseBase {
  const { model, synthetic, target, quant, activations } = subject;
  return { model, synthetic, target, quant, activations, test };
}

function caseArm(subject: Subject, test: string, spec: TestSpec, seed: number, control: Control): CaseArm {
  let counting = false;
  const counters = { read: () => (counting ? (control.counters?.read() ?? {}) : {}) };
  const recorder = epochRecorder(control.clock, () => {}, counters);
  const session = subject.session(recorder.hook, recorder.keepsOps);
  const body = testBody(spec, subject, seed);
  const recorded: RecordedEpoch[][] = [];
  const counted: RecordedEpoch[][] = [];
  return {
    name: `${subject.quant} ${test}`,
    base: caseBase(subject, test),
    spec,
    tokens: testTokens(spec),
    subject,
    recorded,
    counted,
    count(on) {
      counting = on;
    },
    async before() {
      await body.before(session);
      recorder.take();
    },
    iteration: () => body.iteration(session),
    after(round) {
      const epochs = recorder.take();
      recorder.repeat(epochs);
      if (round >= 0) (counting ? counted : recorded).push(epochs);
    },
  };
}

/** Arms test by test within a subject, and the unavailable cases beside them. */
export function armsOf(
  subjects: readonly Subject[],
  tests: readonly string[],
  seed: number,
  control: Control,
): { readonly arms: CaseArm[]; readonly absent: CaseResult[] } {
  const arms: CaseArm[] = [];
  const absent: CaseResult[] = [];
  for (const subject of subjects) {
    for (const test of tests) {
      const spec = parseTest(test);
      if (!spec) continue;
      const reason = cannotRun(spec, subject);
      if (reason) absent.push({ ...caseBase(subject, test), state: "unavailable", reason });
      else arms.push(caseArm(subject, test, spec, seed, control));
    }
  }
  return { arms, absent };
}

/** Median of each event that every round counted. */
function middleCounters(rounds: readonly Readonly<Record<string, number>>[], statistics: Statistics) {
  const names = Object.keys(rounds[0] ?? {}).filter((name) => rounds.every((round) => round[name] !== undefined));
  const median = (name: string) => statistics.summarize(rounds.map((round) => round[name] as number)).median;
  return Object.fromEntries(names.map((name) => [name, median(name)]));
}

/** The op lists of an arm with, for each epoch, the median and the least time of all rounds, and what was counted. */
export function iterationOf(arm: CaseArm, samplesNs: readonly number[], statistics: Statistics): Iteration {
  const { specs, target } = arm.subject;
  const rounds = arm.recorded;
  const epochs = (rounds[0] ?? []).map(({ phase, ops }, i) => {
    const times = rounds.flatMap((epochs) => epochs[i]?.nativeNs ?? []);
    const counters = middleCounters(
      arm.counted.map((epochs) => epochs[i]?.counters ?? {}),
      statistics,
    );
    return { phase, ops, nativeNs: statistics.summarize(times).median, leastNs: Math.min(...times), counters };
  });
  const { median } = statistics.summarize(samplesNs);
  return { specs, epochs, medianNs: median, threads: target.threads, gpu: target.backend === "webgpu" };
}
