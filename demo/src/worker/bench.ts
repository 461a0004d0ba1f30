// Benchmark mode and calibration in the page's worker: the harness's own runs over every target that the browser has.

import {
  type BenchResult,
  type Control,
  calibrateHost,
  calibrationSections,
  type Environment,
  type HostProfile,
  jsonReport,
  markdownReport,
  openComparer,
  type Platform,
  runScenario,
  type Scenario,
  sections,
  type Workload,
} from "../../../src/browser.js";
import type { Answer, Work } from "../protocol.js";

const ROUNDS = 9;
/** One of the 32 layers: 0.25 GB with its embedding and head. */
const SHAPE_LAYERS = 1;

/** What is run: the shipped model in two formats, and on request a shape that no cache holds. */
export function benchScenario({ shape, targets }: Extract<Work, { kind: "bench" }>): Scenario {
  const shipped: Workload = {
    model: { kind: "shipped" },
    quants: ["int8", "int4-g32"],
    activations: "int8",
    tests: ["vision", "pp64", "tg16", "ttft16"],
    targets,
  };
  const large: Workload = {
    model: { kind: "synthetic", shape: "llava-1.5-7b", layers: SHAPE_LAYERS },
    quants: ["int4-g32"],
    activations: "int8",
    tests: ["pp16", "tg8"],
    targets: "fastest",
  };
  return {
    schemaVersion: 1,
    workloads: shape ? [shipped, large] : [shipped],
    topologies: ["local", "cxl-1hop", "cxl-switch", "cxl-remote"],
    ...{ placement: [], llc: "host", delay: "traffic", host: "probe", rounds: ROUNDS, warmups: 1 },
    ...{ threads: 0, seed: 1, quality: false, spin: false },
  };
}

/** Runs the benchmark; a stop keeps what was measured. @param host a calibrated profile; null: a short probe */
export async function benchWork(
  platform: Platform,
  work: Extract<Work, { kind: "bench" }>,
  host: HostProfile | null,
  environment: Environment,
  control: Control,
): Promise<Answer> {
  const result = await runScenario(platform, benchScenario(work), {
    ...{ environment, control, host, toldCacheBytes: null },
    quality: async () => ({ comparer: await openComparer(platform), evalSet: async () => null }),
  });
  return benched(result);
}

function benched(result: BenchResult): Answer {
  const { interrupted, warnings } = result;
  const json = new Blob([jsonReport(result)], { type: "application/json" });
  return { kind: "benched", interrupted, warnings, json, sections: sections(result), markdown: markdownReport(result) };
}

/** Measures this machine from the page; some ten seconds. Gives the profile besides what the page shows. */
export async function calibrateWork(
  platform: Platform,
  environment: Environment,
  control: Control,
): Promise<{ readonly profile: HostProfile; readonly answer: Answer }> {
  const calibration = await calibrateHost(platform, environment, control.progress);
  const json = `${JSON.stringify(calibration, null, 2)}\n`;
  const answer = { kind: "calibrated", sections: calibrationSections(calibration, false), json } as const;
  return { profile: calibration.profile, answer };
}
