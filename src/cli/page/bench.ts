// `bench` inside a page: the scenario on every target that the browser has. Quality is Node's business: the same kernels give it there.

import { openComparer } from "../../backends/wasm/compare.js";
import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { Environment } from "../../core/result.js";
import type { Scenario } from "../../core/scenario.js";
import { runBench } from "../../run/bench.js";
import type { Control } from "../../run/parts.js";
import { chooseTargets, fastestOf } from "../../run/targets.js";
import { outliers } from "../../stats/outliers.js";
import { summarize } from "../../stats/summary.js";
import { checkFit, checkModels } from "../parts/checks.js";
import { openMemory, probe } from "../parts/memory.js";
import { openSubjects } from "../parts/subjects.js";
import type { FinalEvent } from "../protocol.js";

/** @throws UnavailableError for what a page cannot reach */
function checkReach({ workloads, host }: Scenario): void {
  const files = workloads.some(({ model }) => model.kind === "file");
  if (files)
    throw new UnavailableError("a page", "it reads the shipped model only", "Open your model in nibblemark demo");
  if (host !== "probe" && host !== "default") {
    throw new UnavailableError("a page", "it reads no profile of another host", "Use --host probe or --host default");
  }
}

/** @param environment what Node knows of the machine, with the browser as its runtime */
export async function pageBenchWork(
  platform: Platform,
  scenario: Scenario,
  environment: Environment,
  control: Control,
): Promise<FinalEvent> {
  checkReach(scenario);
  const subjects = await openSubjects(platform, scenario.threads);
  try {
    await checkModels(scenario, subjects);
    const statuses = await subjects.targets();
    for (const { targets } of scenario.workloads) chooseTargets(targets, statuses, scenario.threads);
    await checkFit(platform, scenario, subjects);
    const target = fastestOf(chooseTargets("all", statuses, scenario.threads));
    if (!target) throw new UnavailableError("every target", "none can run in this browser", "Use a newer one");
    const memory = await openMemory(platform, scenario.topologies, async (fallback) => {
      if (scenario.host === "default") return { host: fallback, bandwidth: [] };
      control.progress({ stage: "probing this machine", done: 0, total: 1 });
      return probe(platform, target, fallback, null);
    });
    const result = await runBench(scenario, {
      ...{ subjects, memory, control, environment, statistics: { summarize, outliers } },
      quality: { comparer: await openComparer(platform), evalSet: async () => null },
      peakMemoryBytes: () => platform.peakMemoryBytes(),
      now: () => new Date().toISOString(),
    });
    return { kind: "result", result };
  } finally {
    await subjects.close();
  }
}
