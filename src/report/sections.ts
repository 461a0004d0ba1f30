// All sections of a result in reading order, and the lines above them.

import type { HostProfile } from "../core/host.js";
import type { BenchResult } from "../core/result.js";
import { targetName } from "../core/target.js";
import { counterSection } from "./counter-section.js";
import { bytesText, digits, figureText } from "./format.js";
import { hostsSection } from "./hosts-section.js";
import { memorySection } from "./memory-section.js";
import { qualitySection } from "./quality-section.js";
import { left, type Section } from "./section.js";
import { measuredCases, modelNames } from "./select.js";
import { speedSection } from "./speed-section.js";

/** Whether anything was to be timed; `nibblemark eval` measures quality only. */
const isTimed = ({ cases }: BenchResult) => cases.length > 0;

/** Software adapters that `all` leaves out: right, but what they would be timed at is no GPU's. */
function leftOut({ targets, scenario, cases }: BenchResult): string[][] {
  if (!scenario.workloads.some((workload) => workload.targets === "all")) return [];
  const ran = new Set(cases.map(({ target }) => targetName(target)));
  return targets.flatMap((status) =>
    status.available && status.target.backend === "webgpu" && !ran.has(targetName(status.target))
      ? [[targetName(status.target), "", `${status.detail}. To run it all the same: --target webgpu`]]
      : [],
  );
}

/** Targets and cases that did not run, with the reason; nothing where none was asked to. */
function absentSection(result: BenchResult): Section | null {
  if (!isTimed(result)) return null;
  const targets = result.targets.flatMap((status) =>
    status.available ? [] : [[targetName(status.target), "", `${status.reason}. ${status.remedy}`]],
  );
  const cases = result.cases.flatMap((entry) =>
    entry.state === "measured"
      ? []
      : [[targetName(entry.target), `${entry.model} ${entry.quant} ${entry.test}`, `${entry.state}: ${entry.reason}`]],
  );
  const rows = [...targets, ...leftOut(result), ...cases];
  if (rows.length === 0) return null;
  return { title: "Not run", columns: [left("target"), left("case"), left("why")], rows, notes: [] };
}

export function sections(result: BenchResult): Section[] {
  const models = modelNames(result);
  const list = models.flatMap((model) => [
    measuredCases(result).some((entry) => entry.model === model) ? speedSection(result, model) : null,
    counterSection(result, model),
    memorySection(result, model),
    qualitySection(result, model),
  ]);
  return [hostsSection(result), ...list, absentSection(result)].filter(
    (section): section is Section => section !== null,
  );
}

function profileLine(label: string, host: HostProfile): string {
  const { name, source, idleNs, readGBps, llcBytes, hash } = host;
  const figures = `${digits(idleNs)} ns, ${digits(readGBps)} GB/s, cache ${bytesText(llcBytes)}`;
  return `${label} host profile ${name} (${source}): ${figures}, hash ${hash}`;
}

function machineLine({ cpu, cores, memoryBytes, load }: BenchResult["environment"]): string {
  const memory = memoryBytes ? bytesText(memoryBytes) : "memory not told";
  return [cpu, `${cores} cores`, memory, ...(load.length > 0 ? [`load ${load.map(digits).join(" ")}`] : [])].join(
    " · ",
  );
}

/** What a reader must know of the machine before the figures. */
export function headline(result: BenchResult): string[] {
  const { environment: env, host, bandwidth } = result;
  const reads = bandwidth.map(({ streams, threads, gbps }) => `${figureText(gbps)} (${threads}t, ${streams} streams)`);
  const lines = [
    `nibblemark ${env.version}${env.commit ? ` (${env.commit})` : ""} · ${env.runtime} · ${env.os}`,
    machineLine(env),
  ];
  if (isTimed(result)) {
    lines.push(profileLine("predicted with", host), profileLine("modelled with", result.frozenHost));
  }
  if (reads.length > 0)
    lines.push(`best plain WASM read${result.hosts ? ` of ${result.hosts[0]?.host}` : " here"}: ${reads.join(", ")}`);
  const peaks = measuredCases(result).flatMap(({ figures }) => figures.peakMemoryBytes?.value ?? []);
  if (peaks.length > 0) lines.push(`peak memory of the whole program: ${bytesText(Math.max(...peaks))}`);
  if (result.interrupted) lines.push("Stopped before the end: these are the results so far.");
  return lines;
}

/** What the three kinds of time are, printed once under the tables; empty where no time is told. */
export function legend(result: BenchResult): string {
  if (!isTimed(result)) return "";
  return (
    "measured = wall clock, median of the rounds, ± MAD; predicted = measured plus the modelled delay; " +
    "modelled = computed from operations, placement, topology and host profile alone."
  );
}
