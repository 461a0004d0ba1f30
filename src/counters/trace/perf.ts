// `perf stat -I MS -x,`: one line an event and interval, `seconds,value,unit,event,ns running,percent running,...`. Events of
// one time stamp make an epoch; its length is the time since the stamp before.

import type { TraceEpoch } from "../../core/trace.js";

/** Our names of the events by the words that perf's names may hold; what is not listed keeps its own name. */
const EVENTS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^(cpu-)?cycles(:\w+)?$|^cpu_clk_unhalted\.thread/, "cycles"],
  [/^instructions/, "instructions"],
  [/^longest_lat_cache\.miss|^cache-misses|^llc-load-misses|^mem_load_retired\.l3_miss/, "llcMisses"],
  [/^mem_load_retired\.l3_hit|^llc-loads$/, "llcHits"],
  [/^llc-store-misses|^unc_.*writes?$/, "writtenLines"],
  [/^cycle_activity\.stalls_l3_miss|^memory_activity\.stalls_l3_miss/, "stallsL3Miss"],
  [/^cycle_activity\.stalls_l2_miss|^memory_activity\.stalls_l2_miss/, "stallsL2"],
  [/^cycle_activity\.stalls_l1d_miss|^memory_activity\.stalls_l1d_miss/, "stallsL1d"],
  [/^cycle_activity\.stalls_mem_any/, "stallsMemAny"],
  [/^exe_activity\.bound_on_stores/, "boundOnStores"],
  [/^mem_load_retired\.l1_miss/, "l1Misses"],
  [/^mem_load_retired\.fb_hit/, "fillBufferHits"],
  [/^offcore_requests\.demand_data_rd/, "demandReads"],
  [/^offcore_requests_outstanding\.cycles_with_demand_data_rd/, "demandReadCycles"],
];

function eventName(perfName: string): string {
  const plain = perfName.toLowerCase();
  return EVENTS.find(([pattern]) => pattern.test(plain))?.[1] ?? perfName;
}

interface Interval {
  readonly line: number;
  readonly seconds: number;
  readonly counters: Record<string, number>;
}

/** Adds one line to the interval it belongs to; the fault of a line that is none. */
function readLine(text: string, line: number, intervals: Interval[]): string | null {
  const [stamp = "", value = "", , event = ""] = text.split(",");
  const seconds = Number(stamp);
  if (stamp.trim() === "" || !(seconds >= 0) || event === "") return "is no line of perf stat -I -x,";
  let last = intervals.at(-1);
  if (last && seconds < last.seconds) return `time ${seconds} s lies before the line above`;
  if (!last || seconds > last.seconds) {
    last = { line, seconds, counters: {} };
    intervals.push(last);
  }
  // <not counted> and <not supported>: an absent key
  if (value.startsWith("<")) return null;
  const number = Number(value);
  if (!(number >= 0 && number <= 1e18) || value === "") return `value ${value || "(none)"} of ${event} is no count`;
  const name = eventName(event);
  last.counters[name] = (last.counters[name] ?? 0) + number;
  return null;
}

export function perfEpochs(
  lines: readonly string[],
  lineBytes: number,
  broken: (line: number, problem: string) => void,
): TraceEpoch[] {
  const intervals: Interval[] = [];
  for (const [i, text] of lines.entries()) {
    if (text.trim() === "" || text.startsWith("#")) continue;
    const problem = readLine(text, i + 1, intervals);
    if (problem) broken(i + 1, problem);
  }
  return intervals.flatMap(({ line, seconds, counters }, i) => {
    const nativeNs = Math.round((seconds - (intervals[i - 1]?.seconds ?? 0)) * 1e9);
    if (nativeNs <= 0) {
      broken(line, "the interval has no length");
      return [];
    }
    if (counters.llcMisses === undefined && counters.writtenLines === undefined) {
      broken(line, "no count of misses (LLC-load-misses or cache-misses) in this interval: unknown, not 0");
      return [];
    }
    const { stallsL3Miss, stallsL2 } = counters;
    const stalls = stallsL3Miss ?? stallsL2;
    const all = stalls === undefined ? counters : { ...counters, stallCycles: stalls };
    const { llcMisses = 0, writtenLines = 0 } = counters;
    const traffic = { chaseLines: 0, demandLines: llcMisses, streamedBytes: 0, writtenBytes: writtenLines * lineBytes };
    return [{ line, phase: "", nativeNs, perPool: [traffic], counters: all }];
  });
}
