// Measured times of a result file, whichever program wrote it: what two runs are compared by and many are put side by side with.

import type { BenchResult, CaseResult } from "./result.js";
import { parseTest } from "./scenario.js";
import { targetName } from "./target.js";

/** What makes two cases of two runs the same one. */
export interface CaseName {
  readonly model: string;
  readonly weights: string;
  readonly activations: string;
  readonly test: string;
  readonly target: string;
}

/** One case with all of its samples. */
export interface RecordedCase extends CaseName {
  /** Tokens (or pictures) of one sample. */
  readonly tokens: number;
  /** true: told as tokens a second, else as a time. */
  readonly rate: boolean;
  /** ns of the whole test, one a round. */
  readonly samplesNs: readonly number[];
  /** Share of the best plain read of that run that the weights were read with; null where it is not known. */
  readonly readShare: number | null;
}

/** A case that was asked for and has no samples. */
export interface UnmeasuredCase extends CaseName {
  readonly state: "unavailable" | "failed";
  readonly reason: string;
}

export interface RecordedRun {
  /** Names the run in tables. */
  readonly name: string;
  readonly tool: "nibblemark" | "llama-bench";
  /** What the machine and program were, by name; two runs whose entries differ are told so. */
  readonly environment: Readonly<Record<string, string>>;
  /** What was asked for as far as it changes what is timed, by key; compared runs must agree. */
  readonly scenario: Readonly<Record<string, string>>;
  readonly cases: readonly RecordedCase[];
  readonly unmeasured: readonly UnmeasuredCase[];
  readonly interrupted: boolean;
}

/** What a scenario times; rounds, topologies and reports change nothing measured. */
function scenarioOf({ scenario }: BenchResult): Record<string, string> {
  const workloads = scenario.workloads.map(({ model, activations, kv, tests }) => [
    model.kind === "synthetic" ? `${model.shape}, ${model.layers} layers` : model.kind,
    `${activations} activations, ${kv ?? "f32"} keys and values, ${tests.join(" ")}`,
  ]);
  return {
    workloads: workloads.map((words) => words.join(": ")).join("; "),
    seed: String(scenario.seed),
    spin: String(scenario.spin),
  };
}

/** Machine and programs by name: the other hosts of the run and its GPU adapters too, as far as it has any. */
function environmentOf({ environment: env, hosts, targets }: BenchResult): Record<string, string> {
  const runtimes = (hosts ?? []).map(({ host, runtime }) => [`runtime of ${host}`, runtime] as const);
  const adapters = targets.flatMap((status) =>
    status.available && status.target.backend === "webgpu"
      ? [[`adapter of ${targetName(status.target)}`, status.detail] as const]
      : [],
  );
  return {
    ...{ cpu: env.cpu, cores: String(env.cores), os: env.os, runtime: env.runtime, version: env.version },
    ...Object.fromEntries([...runtimes, ...adapters]),
  };
}

/** Names of all cases. Workloads may differ in what no case says (keys and values): the second of one name is `tg16 #2`. */
function namesOf(cases: readonly CaseResult[]): CaseName[] {
  const seen = new Map<string, number>();
  return cases.map(({ model, quant, activations, test, target }) => {
    const name = { model, weights: quant, activations, test, target: targetName(target) };
    const key = Object.values(name).join("\n");
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? name : { ...name, test: `${test} #${count}` };
  });
}

/** A result of `bench` as a recorded run. */
export function recordedRun(name: string, result: BenchResult): RecordedRun {
  const names = namesOf(result.cases);
  const named = result.cases.map((entry, i) => [entry, names[i] as CaseName] as const);
  return {
    name,
    tool: "nibblemark",
    environment: environmentOf(result),
    scenario: scenarioOf(result),
    interrupted: result.interrupted,
    cases: named.flatMap(([entry, caseName]) => {
      if (entry.state !== "measured") return [];
      const kind = parseTest(entry.test)?.kind;
      return {
        ...caseName,
        tokens: entry.tokens,
        rate: kind === "prefill" || kind === "decode",
        samplesNs: entry.samplesNs,
        readShare: entry.figures.readShare?.value ?? null,
      };
    }),
    unmeasured: named.flatMap(([entry, caseName]) =>
      entry.state === "measured" ? [] : { ...caseName, state: entry.state, reason: entry.reason },
    ),
  };
}
