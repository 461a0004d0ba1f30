// Results of one scenario that several hosts ran in turn, as one result.

import type { BenchResult, HostRun, Warning } from "../core/result.js";
import type { HostName, TargetStatus } from "../core/target.js";

export interface HostResult {
  readonly host: HostName;
  readonly result: BenchResult;
}

/** A target of any host as that of `host`: a second Node calls itself node. */
const at = <T extends { readonly target: TargetStatus["target"] }>(entry: T, host: HostName): T => ({
  ...entry,
  target: { ...entry.target, host },
});

/** Warnings of all hosts; the same words of several are told once, with their hosts. */
function warningsOf(runs: readonly HostResult[]): Warning[] {
  const found = new Map<string, { warning: Warning; hosts: string[] }>();
  for (const { host, result } of runs) {
    for (const warning of result.warnings) {
      const entry = found.get(warning.message) ?? { warning, hosts: [] };
      entry.hosts.push(host);
      found.set(warning.message, entry);
    }
  }
  return [...found.values()].map(({ warning, hosts }) =>
    hosts.length === runs.length ? warning : { ...warning, message: `${hosts.join(", ")}: ${warning.message}` },
  );
}

/**
 * One result of all hosts: environment, host profile, bandwidth and quality of the first, cases of all.
 * @param runs at least one
 * @param missing hosts that could not run, with the reason
 */
export function mergeResults(
  scenario: BenchResult["scenario"],
  runs: readonly [HostResult, ...HostResult[]],
  missing: readonly TargetStatus[],
): BenchResult {
  const [{ result: first }] = runs;
  return {
    ...first,
    scenario,
    finishedAt:
      runs
        .map(({ result }) => result.finishedAt)
        .sort()
        .at(-1) ?? first.finishedAt,
    interrupted: runs.some(({ result }) => result.interrupted),
    hosts: runs.map(
      ({ host, result }): HostRun => ({ host, runtime: result.environment.runtime, bandwidth: result.bandwidth }),
    ),
    targets: [...runs.flatMap(({ host, result }) => result.targets.map((status) => at(status, host))), ...missing],
    cases: runs.flatMap(({ host, result }) => result.cases.map((entry) => at(entry, host))),
    warnings: warningsOf(runs),
  };
}
