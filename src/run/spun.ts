// --spin: the same tests again, each epoch really longer by its predicted delay, so that the whole program feels it.

import type { CaseResult } from "../core/result.js";
import type { Scenario } from "../core/scenario.js";
import type { Topology } from "../core/topology.js";
import { type CaseArm, iterationOf } from "./arms.js";
import { epochRecorder, spin } from "./epochs.js";
import type { Evaluator } from "./evaluate.js";
import type { Control, MemoryParts, Statistics } from "./parts.js";
import { type Arm, runRounds } from "./rounds.js";
import { testBody } from "./tests.js";

interface SpunParts {
  readonly statistics: Statistics;
  readonly memory: MemoryParts;
  readonly evaluator: Evaluator;
  readonly control: Control;
}

interface SpunArm extends Arm {
  readonly source: CaseArm;
  readonly topology: string;
}

function spunArm(source: CaseArm, topology: Topology, scenario: Scenario, parts: SpunParts): SpunArm {
  const { clock } = parts.control;
  const { specs } = source.subject;
  const samples = source.recorded.map((epochs) => epochs.reduce((sum, { nativeNs }) => sum + nativeNs, 0));
  const iteration = iterationOf(source, samples, parts.statistics);
  const placed = parts.memory.place(specs, topology, scenario.placement);
  const waits = parts.evaluator.waits(iteration, placed);
  let timed = false;
  const recorder = epochRecorder(clock, (index) => {
    if (timed) spin(clock, waits[index] ?? 0);
  });
  const session = source.subject.session(recorder.hook);
  const body = testBody(source.spec, source.subject, scenario.seed);
  return {
    source,
    topology: topology.name,
    name: `${source.name} ${topology.name} spun`,
    async before() {
      await body.before(session);
      recorder.take();
      timed = true;
    },
    iteration: () => body.iteration(session),
    after() {
      recorder.take();
      timed = false;
    },
  };
}

/** The cases with `spunNs` filled in for every topology that has far memory. */
export async function runSpun(
  arms: readonly CaseArm[],
  cases: readonly CaseResult[],
  scenario: Scenario,
  parts: SpunParts,
): Promise<CaseResult[]> {
  const far = parts.memory.topologies.filter(({ pools }) => pools.length > 1);
  const spun = arms
    .filter(({ recorded }) => recorded.length > 0)
    .flatMap((arm) => far.map((topology) => spunArm(arm, topology, scenario, parts)));
  const outcomes = await runRounds(spun, {
    rounds: scenario.rounds,
    warmups: 0,
    clock: parts.control.clock,
    turn: parts.control.turn,
    stopped: parts.control.stopped,
    onIteration: (done, total) => parts.control.progress({ stage: "spinning", done, total }),
  });
  const medians = new Map(
    spun.map((arm, i) => [keyOf(arm.source.base, arm.topology), medianOf(outcomes[i]?.samplesNs, parts.statistics)]),
  );
  return cases.map((entry) => {
    if (entry.state !== "measured") return entry;
    const rows = entry.rows.map((row) => {
      const median = medians.get(keyOf(entry, row.topology));
      return median == null ? row : { ...row, spunNs: { value: median, unit: "ns", source: "measured" as const } };
    });
    return { ...entry, rows };
  });
}

function keyOf({ model, target, quant, test }: CaseArm["base"], topology: string): string {
  return JSON.stringify([model, target, quant, test, topology]);
}

function medianOf(samples: readonly number[] | undefined, statistics: Statistics): number | null {
  return samples && samples.length > 0 ? statistics.summarize(samples).median : null;
}
