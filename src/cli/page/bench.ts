// `bench` inside a page: the scenario on every target that the browser has. Quality is Node's business: the same kernels give it there.

import { openComparer } from "../../backends/wasm/compare.js";
import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { Environment } from "../../core/result.js";
import type { Scenario } from "../../core/scenario.js";
import type { Control } from "../../run/parts.js";
import { runScenario } from "../parts/run-scenario.js";
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
  const result = await runScenario(platform, scenario, {
    ...{ environment, control, host: null, toldCacheBytes: null },
    quality: async () => ({ comparer: await openComparer(platform), evalSet: async () => null }),
  });
  return { kind: "result", result };
}
