// Runs one case: opens all participants, then rounds in which each arm is timed once, in turn, each round after a look
// whether the machine is quiet. Every round is written down at once.

import { type Case, nameOf, type Participant } from "./case.js";
import type { Timing } from "./child.js";
import { isInstalled } from "./folders.js";
import { type Hog, startHog } from "./hog.js";
import { isQuiet, waitForQuiet, watchLoad } from "./load.js";
import { openProcess, type Process } from "./process.js";
import { append, machineText } from "./record.js";

export interface Limits {
  /** Quiet ones. */
  readonly rounds: number;
  /** When to stop, ms since 1970. */
  readonly until: number;
  /** Longest wait for quiet before a round. */
  readonly patienceMs: number;
  /** Rounds that are already written down: the turns of the slow go on from there. */
  readonly done: number;
}

/** Rounds that are tried for each quiet one that is wanted. */
const MOST_TRIES = 3;

/** Runs it; how many quiet rounds were added. */
export async function runCase(task: Case, build: string, limits: Limits): Promise<number> {
  const about: Record<string, string> = {};
  const processes: Process[] = [];
  let hog: Hog | null = null;
  try {
    for (const participant of task.participants) {
      const opened = await tryOpen(participant, task);
      about[nameOf(participant)] = typeof opened === "string" ? opened : opened.about;
      if (typeof opened !== "string") processes.push(opened);
    }
    const errors = await warmUp(processes, task);
    const time = new Date().toISOString();
    append({ kind: "opening", case: task.id, build, time, machine: machineText(), errors, about });
    if (task.hog) hog = await startHog();
    let quiet = 0;
    for (let tried = 0; quiet < limits.rounds && tried < MOST_TRIES * limits.rounds; tried++) {
      if (Date.now() >= limits.until) break;
      if (await runRound(task, build, processes, hog, limits, limits.done + quiet)) quiet++;
    }
    return quiet;
  } finally {
    hog?.stop();
    await Promise.all(processes.map((process) => process.close()));
  }
}

async function tryOpen(participant: Participant, { work, id }: Case): Promise<Process | string> {
  const { contender } = participant;
  if (contender !== "nibblemark" && !isInstalled(contender)) return "not installed";
  try {
    return await openProcess(participant, work);
  } catch (error) {
    const problem = (error as Error).message.split("\n")[0];
    console.error(`${id}: ${nameOf(participant)} cannot run: ${problem}`);
    return `cannot run: ${problem}`;
  }
}

/** One untimed sample of each arm (but of the slowest, whose samples are long enough to warm up in), and all errors. */
async function warmUp(processes: readonly Process[], { work }: Case): Promise<Record<string, number>> {
  const errors: Record<string, number> = {};
  for (const process of processes) {
    const slow = work.kind === "prefill" && process.participant.every > 1;
    if (!slow) for (const arm of process.arms) await process.sample(arm);
    for (const [arm, error] of Object.entries(await process.errors())) {
      if (error !== null) errors[`${process.name}:${arm}`] = error;
    }
  }
  return errors;
}

async function runRound(
  task: Case,
  build: string,
  processes: readonly Process[],
  hog: Hog | null,
  { patienceMs }: Limits,
  round: number,
): Promise<boolean> {
  const own = [...processes.map(({ pid }) => pid), ...(hog ? [hog.pid] : [])];
  await waitForQuiet(own, patienceMs);
  const load = watchLoad(own);
  const samples: Record<string, Timing> = {};
  for (const process of processes) {
    if (round % process.participant.every !== 0) continue;
    for (const arm of process.arms) samples[`${process.name}:${arm}`] = await process.sample(arm);
  }
  const others = load();
  append({ kind: "round", case: task.id, build, time: new Date().toISOString(), load: others, samples });
  return isQuiet(others);
}
