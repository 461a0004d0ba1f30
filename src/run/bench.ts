// A benchmark from scenario to result: targets, workloads, quality, warnings. Reads as a list of its stages.

import { InputError } from "../core/errors.js";
import type { BenchResult, CaseResult, Environment, QualityResult } from "../core/result.js";
import type { Scenario, Workload } from "../core/scenario.js";
import type { Target, TargetStatus } from "../core/target.js";
import { openEvaluator } from "./evaluate.js";
import type { Control, MemoryParts, QualityParts, Statistics, Subject, SubjectParts } from "./parts.js";
import { measureQuality } from "./quality.js";
import { chooseTargets, fastestOf, wantedOf } from "./targets.js";
import { testsOf } from "./tests.js";
import { warningsOf } from "./warnings.js";
import { runWorkload, type WorkloadParts } from "./workload.js";

export interface BenchParts {
  readonly subjects: SubjectParts;
  readonly statistics: Statistics;
  readonly memory: MemoryParts;
  readonly quality: QualityParts;
  readonly control: Control;
  readonly environment: Environment;
  peakMemoryBytes(): number | null;
  /** ISO 8601. */
  now(): string;
}

/** Positions whose logits one epoch of quality gives. */
const QUALITY_ROWS = 128;

/** Runs the whole scenario. Throws InputError and UnavailableError before anything is measured, where it can. */
export async function runBench(scenario: Scenario, parts: BenchParts): Promise<BenchResult> {
  const startedAt = parts.now();
  const statuses = await parts.subjects.targets(wantedOf(scenario.workloads));
  const chosen = scenario.workloads.map((workload) => {
    testsOf(workload.tests);
    return chooseTargets(workload.targets, statuses, scenario.threads);
  });
  const evaluator = openEvaluator(parts.memory, scenario.llc);
  const workloadParts: WorkloadParts = { ...parts, evaluator };
  const cases: CaseResult[] = [];
  for (const [i, workload] of scenario.workloads.entries()) {
    if (await parts.control.stopped()) break;
    cases.push(...(await runWorkload(workload, chosen[i] as readonly Target[], scenario, workloadParts)));
  }
  const quality = scenario.quality ? await allQuality(scenario, statuses, parts) : [];
  const facts = {
    schemaVersion: 1 as const,
    startedAt,
    finishedAt: parts.now(),
    interrupted: await parts.control.stopped(),
    scenario,
    environment: parts.environment,
    host: parts.memory.host,
    frozenHost: parts.memory.frozenHost,
    bandwidth: parts.memory.bandwidth,
    ...(parts.memory.gpu ? { gpu: parts.memory.gpu } : {}),
    targets: statuses,
    cases,
    quality,
  };
  return { ...facts, warnings: warningsOf(facts, parts.statistics) };
}

async function allQuality(
  scenario: Scenario,
  statuses: readonly TargetStatus[],
  parts: BenchParts,
): Promise<QualityResult[]> {
  const available = statuses.filter((status) => status.available).map(({ target }) => target);
  const target = fastestOf(available.filter(({ threads }) => scenario.threads === 0 || threads <= scenario.threads));
  const results: QualityResult[] = [];
  for (const workload of scenario.workloads) {
    if (!target || workload.model.kind === "synthetic" || (await parts.control.stopped())) continue;
    results.push(...(await workloadQuality(workload, target, scenario, parts)));
  }
  return results;
}

/** Quality of one workload's formats on the fastest target; nothing where there is nothing to evaluate on. */
export async function workloadQuality(
  workload: Workload,
  target: Target,
  scenario: Scenario,
  parts: Pick<BenchParts, "subjects" | "quality" | "control">,
): Promise<QualityResult[]> {
  const set = await parts.quality.evalSet(workload.model);
  if (!set) return [];
  const longest = Math.max(
    ...set.windows.map((window) => window.length),
    ...set.questions.map(({ prompt, answer }) => prompt.length + answer.length),
  );
  const opened: Subject[] = [];
  try {
    for (const quant of ["f32" as const, ...workload.quants.filter((name) => name !== "f32")]) {
      const room = { positions: longest, logitRows: Math.min(QUALITY_ROWS, longest) };
      const { model, activations, kv } = workload;
      parts.control.progress({ stage: `loading ${quant} for quality`, done: 0, total: 1 });
      opened.push(await parts.subjects.open({ model, target, quant, activations, kv, seed: scenario.seed, room }));
    }
    const [base, ...others] = opened;
    if (!base) throw new InputError("scenario", "quants", "is empty", "Name at least one format");
    return await measureQuality(base, others, set, parts.quality.comparer, parts.control);
  } finally {
    await Promise.all(opened.map((subject) => subject.close()));
  }
}
