// How busy other programs keep this machine while a test measures: the processor time of the whole machine (hypervisor's theft
// included) less that of this process and all that it started. Linux (proc(5)); elsewhere it tells 0.

import { readdirSync, readFileSync } from "node:fs";

/** Processor time is told in hundredths of a second (sysconf(_SC_CLK_TCK) is 100 wherever Linux runs). */
const TICKS = 100;

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Busy ticks of all cores since boot: user, nice, system, irq, softirq, steal. */
function machineTicks(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = textOf("/proc/stat")
    .split("\n", 1)[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user + nice + system + irq + softirq + steal;
}

interface Process {
  readonly parent: number;
  /** Its own and that of children it has waited for. */
  readonly ticks: number;
}

function processes(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of textOf("/proc/stat") === "" ? [] : readdirSync("/proc")) {
    // The name in brackets may hold spaces.
    const fields = textOf(`/proc/${name}/stat`).split(") ")[1]?.split(" ");
    if (!/^\d+$/.test(name) || !fields) continue;
    const times = fields.slice(11, 15).map(Number);
    found.set(Number(name), { parent: Number(fields[1]), ticks: times.reduce((sum, one) => sum + one, 0) });
  }
  return found;
}

/** This process and its descendants among all. */
function ownOf(all: ReadonlyMap<number, Process>): number[] {
  const isOwn = (pid: number): boolean => {
    for (let at = pid; at > 1; at = all.get(at)?.parent ?? 0) if (at === process.pid) return true;
    return false;
  };
  return [...all.keys()].filter(isOwn);
}

/** Ids of this process and its descendants. */
export const ownProcesses = (): number[] => ownOf(processes());

/** Ticks of this process and its descendants. */
function ownTicks(): number {
  const all = processes();
  return ownOf(all).reduce((sum, pid) => sum + (all.get(pid)?.ticks ?? 0), 0);
}

/** Begins to watch; call the answer while all children are alive for the cores that others took since, on average. */
export function watchOthers(): () => number {
  const [machine, own, start] = [machineTicks(), ownTicks(), performance.now()];
  return () => {
    const ticks = machineTicks() - machine - (ownTicks() - own);
    return Math.max(0, (ticks / TICKS) * (1000 / (performance.now() - start)));
  };
}
