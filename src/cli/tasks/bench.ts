// `bench` and `eval` inside the coordinator: picks the concrete parts and runs the scenario.

import { openComparer } from "../../backends/wasm/compare.js";
import { InputError } from "../../core/errors.js";
import type { HostProfile } from "../../core/host.js";
import type { Platform } from "../../core/ports.js";
import type { BenchResult } from "../../core/result.js";
import type { ModelRef, Scenario } from "../../core/scenario.js";
import { loadHost } from "../../placement/calibration.js";
import { loadDefaultHost } from "../../placement/topology.js";
import { workloadQuality } from "../../run/bench.js";
import type { Control, EvalSet, QualityParts } from "../../run/parts.js";
import { chooseTargets, fastestOf, wantedOf } from "../../run/targets.js";
import { warningsOf } from "../../run/warnings.js";
import { checkDelayEvents, countedDelays, openBenchCounters } from "../parts/bench-counters.js";
import { checkModels } from "../parts/checks.js";
import { captureEnvironment, toldCacheBytes } from "../parts/environment.js";
import { type EvalFolders, evalFolders, loadEvalSet } from "../parts/evalset.js";
import { runScenario, statistics } from "../parts/run-scenario.js";
import { type OpenModels, openSubjects } from "../parts/subjects.js";
import type { FinalEvent } from "../protocol.js";

/** `folders`: another set than the model's own. */
async function qualityParts(
  platform: Platform,
  subjects: OpenModels,
  folders: EvalFolders | null,
): Promise<QualityParts> {
  const evalSet = async (ref: ModelRef): Promise<EvalSet | null> => {
    const model = await subjects.model(ref);
    return loadEvalSet(platform, model, folders ?? (await evalFolders(platform, model)));
  };
  return { comparer: await openComparer(platform), evalSet };
}

/** The profile that the scenario names by its file; null: the shipped one or a probe. */
async function namedHost(platform: Platform, { host }: Scenario): Promise<HostProfile | null> {
  return host === "default" || host === "probe" ? null : loadHost(platform, host);
}

export async function benchWork(platform: Platform, scenario: Scenario, control: Control): Promise<FinalEvent> {
  const environment = captureEnvironment();
  const counters = await openBenchCounters(platform);
  try {
    checkDelayEvents(scenario, counters);
    const result = await runScenario(platform, scenario, {
      environment,
      control: counters ? { ...control, counters } : control,
      quality: (subjects) => qualityParts(platform, subjects, null),
      host: await namedHost(platform, scenario),
      toldCacheBytes: toldCacheBytes(),
      countedDelays: (host) => countedDelays(platform, scenario, host),
    });
    return { kind: "result", result };
  } finally {
    counters?.close();
  }
}

/** Quality only, on the fastest target; no probe, no timing. */
export async function evalWork(
  platform: Platform,
  scenario: Scenario,
  folders: EvalFolders | null,
  control: Control,
): Promise<FinalEvent> {
  const startedAt = new Date().toISOString();
  const subjects = await openSubjects(platform, scenario.threads);
  try {
    await checkModels(scenario, subjects);
    const statuses = await subjects.targets(wantedOf(scenario.workloads));
    const quality = await qualityParts(platform, subjects, folders);
    const results: BenchResult["quality"][number][] = [];
    for (const workload of scenario.workloads) {
      const target = fastestOf(chooseTargets(workload.targets, statuses, scenario.threads));
      if (target) results.push(...(await workloadQuality(workload, target, scenario, { subjects, quality, control })));
    }
    if (results.length === 0) {
      throw new InputError("nibblemark eval", "", "there is nothing to evaluate on", "Use a model with a tokenizer");
    }
    const frozenHost = await loadDefaultHost(platform);
    const facts = {
      schemaVersion: 1 as const,
      startedAt,
      finishedAt: new Date().toISOString(),
      interrupted: await control.stopped(),
      scenario,
      environment: captureEnvironment(),
      host: frozenHost,
      frozenHost,
      bandwidth: [],
      targets: statuses,
      cases: [],
      quality: results,
    };
    return { kind: "result", result: { ...facts, warnings: warningsOf(facts, statistics) } };
  } finally {
    await subjects.close();
  }
}
