// The runtimes and browsers that took turns, each with the reads that its shares are of.

import type { BenchResult } from "../core/result.js";
import { ABSENT, figureText } from "./format.js";
import { left, right, type Section } from "./section.js";

/** null where only one ran. */
export function hostsSection({ hosts }: BenchResult): Section | null {
  if (!hosts) return null;
  const rows = hosts.map(({ host, runtime, bandwidth }) => {
    const best = (wanted: (threads: number) => boolean) => {
      const reads = bandwidth.filter(({ threads }) => wanted(threads)).map(({ gbps }) => gbps);
      return reads.length > 0 ? figureText(reads.reduce((a, b) => (b.value > a.value ? b : a))) : ABSENT;
    };
    return [host, runtime, best((threads) => threads === 1), best((threads) => threads > 1)];
  });
  return {
    title: "Hosts, in turns round by round",
    columns: [left("host"), left("runtime"), right("best read, 1 thread"), right("more threads")],
    rows,
    notes: [],
  };
}
