// A scenario from its models to its result, the same in Node, in a page of the command line and in the demo: opens what it names,
// checks it before anything is measured, probes the machine, runs it. What hosts differ in is handed in.

import { UnavailableError } from "../../core/errors.js";
import type { HostProfile } from "../../core/host.js";
import type { Platform } from "../../core/ports.js";
import type { BenchResult, Environment } from "../../core/result.js";
import type { Scenario } from "../../core/scenario.js";
import { runBench } from "../../run/bench.js";
import type { Control, MemoryParts, QualityParts } from "../../run/parts.js";
import { chooseTargets, fastestOf, wantedOf } from "../../run/targets.js";
import { outliers } from "../../stats/outliers.js";
import { summarize } from "../../stats/summary.js";
import { checkFit, checkModels } from "./checks.js";
import { openGpuMemory } from "./gpu-memory.js";
import { openMemory, probe } from "./memory.js";
import { type OpenModels, openSubjects } from "./subjects.js";

export const statistics = { summarize, outliers };

export interface ScenarioParts {
  /** What the result says of machine and program. */
  readonly environment: Environment;
  readonly control: Control;
  /** A comparer of logits, and what quality is measured on. */
  quality(subjects: OpenModels): Promise<QualityParts>;
  /** A profile that is known already; null: `scenario.host` says whether to probe or to take the shipped one. */
  readonly host: HostProfile | null;
  /** Size of the largest cache that the system tells of; null where it does not. */
  readonly toldCacheBytes: number | null;
  /** Delays of a delay model that needs counters; absent: the scenario uses `traffic`. */
  countedDelays?(host: HostProfile): Promise<MemoryParts["countedDelays"]>;
}

/**
 * Runs the scenario on every target of the platform that it names.
 * @throws InputError for what cannot be opened, placed or fitted, UnavailableError where nothing can run
 */
export async function runScenario(platform: Platform, scenario: Scenario, parts: ScenarioParts): Promise<BenchResult> {
  const { environment, control } = parts;
  const subjects = await openSubjects(platform, scenario.threads);
  try {
    await checkModels(scenario, subjects);
    const statuses = await subjects.targets(wantedOf(scenario.workloads));
    const chosen = scenario.workloads.flatMap(({ targets }) => chooseTargets(targets, statuses, scenario.threads));
    await checkFit(platform, scenario, subjects);
    const target = fastestOf(chooseTargets("all", statuses, scenario.threads));
    if (!target) throw new UnavailableError("every target", "none can run here", "Run nibblemark doctor");
    const gpu = await openGpuMemory(platform, chosen, scenario.host !== "default");
    const cpu = await openMemory(platform, scenario.topologies, async (fallback) => {
      const known = parts.host ?? (scenario.host === "default" ? fallback : null);
      if (known) return { host: known, bandwidth: [] };
      control.progress({ stage: "probing this machine", done: 0, total: 1 });
      return probe(platform, target, fallback, parts.toldCacheBytes);
    });
    const memory = { ...cpu, gpu };
    const countedDelays = await parts.countedDelays?.(memory.host);
    return await runBench(scenario, {
      ...{ subjects, statistics, control, environment },
      memory: countedDelays ? { ...memory, countedDelays } : memory,
      quality: await parts.quality(subjects),
      peakMemoryBytes: () => platform.peakMemoryBytes(),
      now: () => new Date().toISOString(),
    });
  } finally {
    await subjects.close();
  }
}
