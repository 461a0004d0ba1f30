// A watched program as sections, JSON lines and a timeline.

import { LEAST_PROBES, type Span } from "../core/counters.js";
import type { TraceTraffic } from "../core/trace.js";
import type { FailedWatch, MappingLines, WatchedEpoch, WatchResult } from "../core/watch.js";
import { digits, timeText } from "./format.js";
import { left, right, type Section } from "./section.js";
import type { TimelineEpoch } from "./timeline.js";

const spanText = ([low, high]: Span, text: (value: number) => string) =>
  text(low) === text(high) ? text(low) : `${text(low)} to ${text(high)}`;
const factor = (value: number) => `${value.toFixed(3)}x`;

function countRows({ counters, onCpuNs }: WatchResult): string[][] {
  const { taskClockNs: _, cycles, instructions, ...others } = counters;
  const rows = Object.entries(others).map(([name, count]) => [name, String(Math.round(count))]);
  if (instructions === undefined || !cycles) return rows;
  const perCycle = ["instructions per cycle", (instructions / cycles).toFixed(2)];
  const clock = ["clock", `${digits(cycles / Math.max(1, onCpuNs))} GHz`];
  return [["instructions", String(instructions)], perCycle, clock, ...rows];
}

/** Why there is no delay at all. */
function unknownText({ source, model, counters, events, incomplete }: WatchResult): string {
  if (incomplete) return "unknown: part of it ran uncounted";
  const { probes } = counters;
  if (source === "breakpoint" && (probes ?? 0) < LEAST_PROBES) {
    return `unknown: too few probes (${probes ?? 0} of at least ${LEAST_PROBES}): run longer or shorten --epoch`;
  }
  const tells = source === "breakpoint" || source === "emulated" || events.some(({ available }) => available);
  return tells && source !== "none"
    ? `unknown: source ${source} counted nothing that model ${model} needs`
    : "unknown: no counter tells of its memory";
}

function delayRows(result: WatchResult): string[][] {
  const { delay, slowdown, topology, predictedNs, nativeNs } = result;
  if (!delay || !slowdown) return [[`predicted under ${topology}`, unknownText(result)]];
  return [
    ...(predictedNs < 0.99 * nativeNs
      ? [["delays known for", `${digits((predictedNs / Math.max(1, nativeNs)) * 100)} % of the time`]]
      : []),
    ["delay, threads side by side", spanText(delay.slowestNs, timeText)],
    ["delay, threads one after another", spanText(delay.sumNs, timeText)],
    ["predicted slowdown", spanText(slowdown, factor)],
  ];
}

function measuredRows({ injection, baseline, measuredSlowdown, bound }: WatchResult): string[][] {
  const rows: string[][] = [];
  if (injection) {
    const how = injection.method === "cgroup" ? "a frozen cgroup" : "signals";
    rows.push([
      `injected (the whole process, by ${how})`,
      `${timeText(injection.achievedNs)} in ${injection.stops} stops`,
    ]);
    if (injection.atEndNs) rows.push(["of it by keeping its end back", timeText(injection.atEndNs)]);
    rows.push(["asked for", timeText(injection.requestedNs)]);
  }
  if (baseline) rows.push([`alone, ${baseline.samplesNs.length} runs`, spanText(baseline.rangeNs, timeText)]);
  if (measuredSlowdown) {
    rows.push(["measured slowdown", `${factor(measuredSlowdown.value)} (${spanText(measuredSlowdown.range, factor)})`]);
  }
  if (bound) {
    rows.push([`with its memory on node ${bound.node}`, spanText(bound.times.rangeNs, timeText)]);
    rows.push([`measured slowdown on node ${bound.node}`, factor(bound.slowdown)]);
  }
  return rows;
}

function lossNotes({ lost, leastRunningShare }: WatchResult): string[] {
  const share = `${(leastRunningShare * 100).toFixed(0)} %`;
  return [
    ...(leastRunningShare < 0.999
      ? [`counters were multiplexed: the least ran ${share} of the time, the rest is scaled`]
      : []),
    ...(lost > 0 ? [`${lost} readings or records were lost`] : []),
  ];
}

/** The summary of a finished watch. */
export function watchSections(result: WatchResult): Section[] {
  const rows = [
    ["wall time", timeText(result.wallNs)],
    ["on cores", `${timeText(result.onCpuNs)}, at most ${result.threads} threads at once`],
    ["epochs", `${result.epochs}, ${timeText(result.nativeNs / Math.max(1, result.epochs))} each in the mean`],
    ...delayRows(result),
    ...measuredRows(result),
    ...countRows(result),
  ];
  const notes = [
    `source ${result.source}: ${result.sourceDetail}`,
    `delay model ${result.model}, host profile ${result.host}, placement ${result.placement.join(" ") || "all in the first far pool"}`,
    ...lossNotes(result),
    ...result.notes,
  ];
  const title = `${result.command.join(" ") || `process ${result.pid}`} under ${result.topology}`;
  return [{ title, columns: [left("what"), right("value")], rows, notes }];
}

/** All there is to say of a program that failed. */
export function failedSections({ command, failed, program }: FailedWatch): Section[] {
  const rows = [
    ["exit code", String(program.code ?? "none")],
    ["signal", program.signal ?? "none"],
  ];
  return [{ title: `${command.join(" ")} failed`, columns: [left("what"), right("value")], rows, notes: [failed] }];
}

/** Last of a watch's JSON lines where the program failed: `replay` refuses such a trace. */
export function failedLine({ failed, program }: FailedWatch): string {
  return `${JSON.stringify({ kind: "failed-run", failed, program })}\n`;
}

const bytesOf = (one: TraceTraffic) => (one.chaseLines + one.demandLines) * 64 + one.streamedBytes + one.writtenBytes;

/** First line of a watch's JSON lines; with the epochs a trace that `nibblemark replay` reads. */
export function watchHead(facts: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ kind: "epoch-trace", schemaVersion: 1, ...facts })}\n`;
}

/** One epoch as a line; `perPool` is the middle of fewest and most lines, null where they are unknown, `regions` are left out where no addresses are known. */
export function watchLine(
  epoch: WatchedEpoch,
  poolCount: number,
  mappings: readonly MappingLines[] | null = null,
): string {
  const { pools, delay, ...plain } = epoch;
  const middle = (key: keyof TraceTraffic, i: number) =>
    pools ? ((pools[0][i]?.[key] ?? 0) + (pools[1][i]?.[key] ?? 0)) / 2 : 0;
  // Touches were sampled, and none came late enough to be a miss: that is known to be nothing.
  const isKnown = pools !== null || (plain.counters.probes ?? 0) >= LEAST_PROBES;
  const perPool = Array.from({ length: poolCount }, (_, i) => ({
    chaseLines: middle("chaseLines", i),
    demandLines: middle("demandLines", i),
    streamedBytes: middle("streamedBytes", i),
    writtenBytes: middle("writtenBytes", i),
  }));
  const delays = delay
    ? {
        delaySlowestNs: delay.slowestNs,
        delaySumNs: delay.sumNs,
        predictedNs: [plain.nativeNs + delay.slowestNs[0], plain.nativeNs + delay.sumNs[1]],
        terms: delay.high.terms,
      }
    : {};
  const lines = pools ? { poolBytes: pools.map((end) => end.map(bytesOf)) } : {};
  return `${JSON.stringify({ ...plain, ...delays, perPool: isKnown ? perPool : null, ...lines, ...(mappings ? { regions: mappings } : {}) })}\n`;
}

/** Epochs for the timeline: the high end, where the two differ. */
export function timelineEpochs(epochs: readonly WatchedEpoch[], pools: number): TimelineEpoch[] {
  return epochs.map(({ nativeNs, delay, pools: lines }) => ({
    nativeNs,
    delay: delay?.high ?? null,
    poolBytes: lines?.[1].map(bytesOf) ?? (delay ? new Array<number>(pools).fill(0) : null),
  }));
}
