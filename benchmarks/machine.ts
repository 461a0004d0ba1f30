// How busy the machine is with other things while a benchmark runs (Linux: /proc/stat; elsewhere unknown).

import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** /proc counts in hundredths of a second (USER_HZ). */
export const TICK_US = 10_000;

/** Busy and stolen time of all cores so far, us; null where it cannot be read. */
export function coreTimes(): { busyUs: number; stolenUs: number } | null {
  try {
    const fields = readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1).map(Number);
    const [user, nice, system, , , irq, softirq, stolen] = fields;
    return { busyUs: (user + nice + system + irq + softirq) * TICK_US, stolenUs: stolen * TICK_US };
  } catch {
    return null;
  }
}

/** Starts watching; the function it gives tells the mean number of cores that others used since, and that were stolen. */
export function watchOthers(): () => string {
  const [start, own, since] = [coreTimes(), process.cpuUsage(), process.hrtime.bigint()];
  return () => {
    const end = coreTimes();
    if (!start || !end) return "load of other processes unknown";
    const wallUs = Number(process.hrtime.bigint() - since) / 1000;
    const used = process.cpuUsage(own);
    const others = Math.max(0, (end.busyUs - start.busyUs - used.user - used.system) / wallUs);
    const stolen = (end.stolenUs - start.stolenUs) / wallUs;
    return `others used ${others.toFixed(2)} of ${cpus().length} cores, ${stolen.toFixed(2)} stolen`;
  };
}

/** The processor and the runtime, for the head of a table. */
export function machineName(): string {
  return `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.versions.node}`;
}
