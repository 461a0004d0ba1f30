// One workload from its models to its cases: load every target x format, run the rounds, evaluate what was recorded.

import { InputError, UnavailableError } from "../core/errors.js";
import type { CaseResult, TopologyRow } from "../core/result.js";
import type { Scenario, Workload } from "../core/scenario.js";
import { type Target, targetName } from "../core/target.js";
import { armsOf, type CaseArm, iterationOf } from "./arms.js";
import type { Evaluator } from "./evaluate.js";
import { extrapolate, fullIteration } from "./extrapolate.js";
import { caseFigures } from "./figures.js";
import type { Control, FullDepth, MemoryParts, Statistics, Subject, SubjectParts, SubjectRequest } from "./parts.js";
import { type ArmOutcome, runRounds } from "./rounds.js";
import { runSpun } from "./spun.js";
import { roomFor, testsOf } from "./tests.js";

export interface WorkloadParts {
  readonly subjects: SubjectParts;
  readonly statistics: Statistics;
  readonly memory: MemoryParts;
  readonly evaluator: Evaluator;
  readonly control: Control;
  peakMemoryBytes(): number | null;
}

function requestsOf(workload: Workload, targets: readonly Target[], scenario: Scenario): SubjectRequest[] {
  const room = roomFor(testsOf(workload.tests));
  return targets.flatMap((target) =>
    workload.quants.map((quant) => {
      const { model, activations, kv } = workload;
      return { model, target, quant, activations, kv, seed: scenario.seed, room };
    }),
  );
}

/** Rounds after the timed ones in which counters are read around each epoch. */
const COUNTED_ROUNDS = 3;

interface Opened {
  readonly subjects: Subject[];
  /** GPU targets that took not this model, with the reason. */
  readonly refused: { readonly request: SubjectRequest; readonly reason: string }[];
}

/** Opens all subjects; closes those that are open when one fails or the user stops. */
async function openAll(requests: readonly SubjectRequest[], parts: WorkloadParts): Promise<Opened> {
  const opened: Subject[] = [];
  const refused: Opened["refused"] = [];
  try {
    for (const [i, request] of requests.entries()) {
      const stage = `loading ${request.quant} on ${targetName(request.target)}`;
      parts.control.progress({ stage, done: i, total: requests.length });
      if (await parts.control.stopped()) break;
      try {
        opened.push(await parts.subjects.open(request));
      } catch (error) {
        // The last one that could have run takes the whole workload with it.
        if (!isOfDevice(request, error) || (i + 1 === requests.length && opened.length === 0)) throw error;
        refused.push({ request, reason: error.message });
      }
    }
    return { subjects: opened, refused };
  } catch (error) {
    await Promise.all(opened.map((subject) => subject.close()));
    throw error;
  }
}

/** A GPU that is lost, full or refuses the work: other targets go on. */
function isOfDevice({ target }: SubjectRequest, error: unknown): error is Error {
  const ofMemory = error instanceof InputError && error.field === "memory";
  return target.backend === "webgpu" && (ofMemory || error instanceof UnavailableError);
}

/** The cases of a target that took not the model. */
function refusedCases({ subjects, refused }: Opened, { tests }: Workload): CaseResult[] {
  return refused.flatMap(({ request, reason }) => {
    const [subject] = subjects;
    if (!subject) return [];
    const { model, synthetic, activations } = subject;
    const base = { model, synthetic, activations, target: request.target, quant: request.quant };
    return tests.map((test): CaseResult => ({ ...base, test, state: "unavailable", reason }));
  });
}

/** Places every subject under every topology before anything is measured, so that a bad rule costs no time. */
function checkPlacement(subjects: readonly Subject[], scenario: Scenario, memory: MemoryParts): void {
  for (const topology of memory.topologies) {
    for (const { specs } of subjects) memory.place(specs, topology, scenario.placement);
  }
}

async function measuredCase(
  arm: CaseArm,
  outcome: ArmOutcome,
  full: FullDepth | null,
  scenario: Scenario,
  parts: WorkloadParts,
): Promise<CaseResult> {
  const { statistics, memory, evaluator, control } = parts;
  const iteration = iterationOf(arm, outcome.samplesNs, statistics);
  const deep = full && (await fullIteration(arm, full, scenario.seed, control));
  // The host profile is of the CPU and its cache: it says nothing of a GPU, which has its own or no rows.
  const topologies = iteration.gpu && !memory.gpu ? [] : memory.topologies;
  const rows = topologies.map((topology, i): TopologyRow => {
    const rules = scenario.placement;
    const row = evaluator.row(iteration, topology, memory.place(iteration.specs, topology, rules));
    if (!deep || !row.predictedNs) return row;
    return { ...row, extrapolatedNs: extrapolate(row.predictedNs, iteration, deep, i, memory, evaluator, rules) };
  });
  const peak = parts.peakMemoryBytes();
  const figures = caseFigures(arm, outcome.samplesNs, iteration.epochs, memory.bandwidth, statistics, peak);
  const local = rows.find(({ delay }) => delay.delayNs === 0)?.extrapolatedNs;
  if (local && arm.spec.kind === "decode") {
    const value = arm.tokens / (local.value / 1e9);
    figures.extrapolatedTokensPerSecond = { value, unit: "t/s", source: "derived" };
  }
  const epochs = evaluator.samples(iteration);
  return { ...arm.base, state: "measured", samplesNs: outcome.samplesNs, tokens: arm.tokens, figures, epochs, rows };
}

/** Reads what this machine counts, in rounds of their own: the timed ones are over. */
async function countRounds(arms: readonly CaseArm[], outcomes: readonly ArmOutcome[], control: Control): Promise<void> {
  const measured = arms.filter((_, i) => outcomes[i]?.error === null && (outcomes[i]?.samplesNs.length ?? 0) > 0);
  if (!control.counters || measured.length === 0) return;
  for (const arm of measured) arm.count(true);
  await runRounds(measured, {
    rounds: COUNTED_ROUNDS,
    warmups: 0,
    clock: control.clock,
    turn: control.turn,
    stopped: control.stopped,
    onIteration: (done, total) => control.progress({ stage: "counting", done, total }),
  });
  for (const arm of measured) arm.count(false);
}

/** Runs one workload. Stopping keeps what was measured: arms with at least one round. */
export async function runWorkload(
  workload: Workload,
  targets: readonly Target[],
  scenario: Scenario,
  parts: WorkloadParts,
): Promise<CaseResult[]> {
  const { control, subjects: source } = parts;
  const requests = requestsOf(workload, targets, scenario);
  const opened = await openAll(requests, parts);
  const { subjects } = opened;
  try {
    if (subjects.length === 0) return [];
    checkPlacement(subjects, scenario, parts.memory);
    const { arms, absent } = armsOf(subjects, workload.tests, scenario.seed, control);
    const outcomes = await runRounds(arms, {
      rounds: scenario.rounds,
      warmups: scenario.warmups,
      clock: control.clock,
      turn: control.turn,
      stopped: control.stopped,
      onIteration: (done, total) => control.progress({ stage: `measuring ${subjects[0]?.model}`, done, total }),
    });
    await countRounds(arms, outcomes, control);
    const full = requests[0] ? source.fullDepth(requests[0]) : null;
    const cases: CaseResult[] = [];
    for (const [i, arm] of arms.entries()) {
      const outcome = outcomes[i] as ArmOutcome;
      if (outcome.error instanceof InputError) throw outcome.error;
      if (outcome.error) cases.push({ ...arm.base, state: "failed", reason: outcome.error.message });
      else if (outcome.samplesNs.length > 0) cases.push(await measuredCase(arm, outcome, full, scenario, parts));
    }
    const spun = scenario.spin ? await runSpun(arms, cases, scenario, parts) : cases;
    return [...spun, ...absent, ...refusedCases(opened, workload)];
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
}
