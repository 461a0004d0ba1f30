// What other processes do to the machine: cores that neither the coordinator nor its children use (Linux: /proc/stat minus
// /proc/PID/stat), and waiting until it is little.

import { readFileSync } from "node:fs";
import { coreTimes, TICK_US } from "../machine.js";

/** Cores that others may use in a sample that counts as quiet. */
export const QUIET_CORES = 0.3;
const WINDOW_MS = 150;

export const isQuiet = (cores: number | null): boolean => cores === null || cores <= QUIET_CORES;

/** Processor time of a process so far, us; 0 once it is gone. */
function processUs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  } catch {
    return 0;
  }
}

/** Starts watching; the function it gives tells the mean number of cores that others used since, null where unknown. */
export function watchLoad(own: readonly number[]): () => number | null {
  const ownUs = () => own.reduce((sum, pid) => sum + processUs(pid), processUs(process.pid));
  const [start, startOwn, since] = [coreTimes(), ownUs(), process.hrtime.bigint()];
  return () => {
    const end = coreTimes();
    if (!start || !end) return null;
    const wallUs = Math.max(1, Number(process.hrtime.bigint() - since) / 1000);
    const busyUs = end.busyUs - start.busyUs + end.stolenUs - start.stolenUs;
    return Math.max(0, (busyUs - (ownUs() - startOwn)) / wallUs);
  };
}

/** Waits until others use little, at most `limitMs`. */
export async function waitForQuiet(own: readonly number[], limitMs: number): Promise<void> {
  for (const until = Date.now() + limitMs; Date.now() < until; ) {
    const load = watchLoad(own);
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    if ((load() ?? 0) <= QUIET_CORES) return;
  }
}
