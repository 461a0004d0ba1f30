// The parts of a benchmark of the tiny model: real delay model and comparer, fixed host profiles, a clock that the
// test moves.

import { openComparer } from "../../src/backends/wasm/compare.js";
import type { HostProfile } from "../../src/core/host.js";
import type { BenchResult } from "../../src/core/result.js";
import type { Scenario } from "../../src/core/scenario.js";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { placeTensors } from "../../src/placement/place.js";
import { loadDefaultHost, loadTopology } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";
import { type BenchParts, runBench } from "../../src/run/bench.js";
import type { EpochCounters } from "../../src/run/parts.js";
import { outliers } from "../../src/stats/outliers.js";
import { summarize } from "../../src/stats/summary.js";
import { RESULT } from "../report/fixture.js";
import { PIXELS, tinySubjects } from "./tiny-subject.js";

const platform = nodePlatform();
const frozenHost = await loadDefaultHost(platform);

export const TINY: Scenario = {
  schemaVersion: 1,
  workloads: [
    {
      model: { kind: "file", path: "tiny" },
      quants: ["f32", "int4-g32"],
      activations: "f32",
      tests: ["vision", "pp8", "tg4@d4", "ttft4"],
      targets: "all",
    },
  ],
  topologies: ["local", "cxl-1hop"],
  placement: [],
  llc: "none",
  delay: "traffic",
  host: "default",
  rounds: 6,
  warmups: 1,
  threads: 0,
  seed: 1,
  quality: true,
  spin: false,
};

/** A clock that moves by a step each time it is read. */
export function steppingClock(stepNs: number) {
  let now = 0;
  return {
    nowNs() {
      now += stepNs;
      return now;
    },
  };
}

export interface TinyOptions {
  readonly stepNs?: number;
  readonly host?: HostProfile;
  /** Stops after so many looks. */
  readonly looks?: number;
  readonly counters?: EpochCounters;
}

/** Runs a scenario on the tiny model. */
export async function benchTiny(scenario: Scenario, options: TinyOptions = {}): Promise<BenchResult> {
  let looks = 0;
  const topologies = await Promise.all(scenario.topologies.map((name) => loadTopology(platform, name)));
  const question = {
    set: "digits",
    type: "which",
    picture: 0,
    pixels: () => PIXELS,
    prompt: [1, 4, 4, 4, 4, 9, 10],
    answer: [11, 2],
  };
  const parts: BenchParts = {
    subjects: tinySubjects,
    statistics: { summarize, outliers },
    memory: {
      traffic: await openTrafficModel(platform),
      frozenHost,
      host: options.host ?? frozenHost,
      bandwidth: RESULT.bandwidth,
      topologies,
      place: (specs, topology, rules) => placeTensors(topology, specs, rules),
    },
    quality: {
      comparer: await openComparer(platform),
      evalSet: async () => ({ questions: [question], windows: [[1, 20, 21, 22, 23, 24]] }),
    },
    control: {
      clock: steppingClock(options.stepNs ?? 1000),
      ...(options.counters ? { counters: options.counters } : {}),
      progress: () => {},
      stopped: async () => ++looks > (options.looks ?? Number.POSITIVE_INFINITY),
    },
    environment: RESULT.environment,
    peakMemoryBytes: () => null,
    now: () => "2026-01-02T03:04:05.000Z",
  };
  return runBench(scenario, parts);
}
