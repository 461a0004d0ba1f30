// `nibblemark replay` of a page trace: each --policy as a row with the pages it moved, what they cost and what they saved.

import type { HostProfile } from "../core/host.js";
import type { PageRun } from "../core/pages.js";
import type { Topology } from "../core/topology.js";
import { parsePageTrace, type ReadPageTrace } from "../counters/page-trace.js";
import type { DelayExports } from "../delay/models.js";
import { setMachine, solveEpoch } from "../delay/solver.js";
import { parsePolicy } from "../placement/policies-parse.js";
import { type PageMachine, type PageParts, runPages } from "../placement/policies-run.js";
import { timeText } from "../report/format.js";
import { left, right, type Section } from "../report/section.js";

export interface PageReplay {
  readonly source: string;
  readonly topology: Topology;
  readonly host: HostProfile;
  readonly trace: ReadPageTrace;
  readonly runs: readonly { readonly text: string; readonly run: PageRun }[];
}

export interface PageReplayInput {
  readonly source: string;
  readonly text: string;
  readonly keepGoing: boolean;
  readonly topology: Topology;
  readonly host: HostProfile;
  readonly threads: number;
  /** As --policy gives them; none: first-touch. */
  readonly policies: readonly string[];
}

/** Runs a page trace under every policy. Throws InputError for broken traces, unknown policies and full pools. */
export function replayPages(wasm: DelayExports, machine: PageMachine, input: PageReplayInput): PageReplay {
  const { source, topology, host, threads } = input;
  const texts = input.policies.length > 0 ? input.policies : ["first-touch"];
  const policies = texts.map((text) => ({ text, policy: parsePolicy(text, topology) }));
  const trace = parsePageTrace(source, input.text, input.keepGoing);
  setMachine(wasm, topology, host, threads);
  const parts: PageParts = {
    ...{ machine, topology, idleNs: host.idleNs, pattern: "stride" as const },
    solve: (stages) => solveEpoch(wasm, topology, stages, 0).delay.placedNs,
    loadedNs: (pool, read, written) => wasm.latencyNs(pool, read, written),
  };
  return {
    source,
    topology,
    host,
    trace,
    runs: policies.map(({ text, policy }) => ({ text, run: runPages(parts, policy, trace) })),
  };
}

export function pageSections({ source, topology, host, trace, runs }: PageReplay): Section[] {
  const nativeNs = trace.epochs.reduce((sum, epoch) => sum + epoch.nativeNs, 0);
  const rows = runs.map(({ text, run }) => [
    text,
    timeText(run.totalNs),
    `${(run.totalNs / nativeNs).toFixed(3)}x`,
    String(run.pagesMoved),
    timeText(run.costNs),
    timeText(run.savedNs),
    timeText(run.gainNs),
  ]);
  const columns = ["predicted", "slowdown", "pages moved", "cost", "saved", "gain"].map((label) => right(label));
  const lost =
    trace.lost.length > 0
      ? [
          `${trace.lost.length} broken lines left out, the first: line ${trace.lost[0]?.line}, ${trace.lost[0]?.problem}`,
        ]
      : [];
  const notes = [
    `measured, all local: ${timeText(nativeNs)} in ${trace.epochs.length} epochs; host profile ${host.name} (${host.hash})`,
    "cost: bytes of moves and copies on both sides and page faults; saved: program time against the same allocation without moves.",
    ...lost,
  ];
  return [{ title: `${source} under ${topology.name}`, columns: [left("policy"), ...columns], rows, notes }];
}

/** A head, then one line an epoch and policy. */
export function pageLines({ source, topology, host, trace, runs }: PageReplay): string {
  const head = {
    schemaVersion: 1,
    kind: "page-replay",
    trace: source,
    topology: topology.name,
    host: host.hash,
    lost: trace.lost,
  };
  const policies = runs.map(({ text, run }) => {
    const { policy, totalNs, pagesMoved, costNs, savedNs, gainNs } = run;
    return { text, policy, totalNs, pagesMoved, costNs, savedNs, gainNs };
  });
  const lines = runs.flatMap(({ text, run }) => run.epochs.map((epoch, index) => ({ policy: text, index, ...epoch })));
  return `${[{ ...head, policies }, ...lines].map((line) => JSON.stringify(line)).join("\n")}\n`;
}
