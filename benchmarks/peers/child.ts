// The process of one participant: loads its contender, opens a case when told to, then takes one sample at a time and
// tells how long it took, how fast the core was before and after, and what the system did meanwhile.

import type { ContenderName, Work } from "./case.js";
import type { OpenContender, Opened } from "./contender.js";
import { openPace } from "./pace.js";

export type Command =
  | { readonly kind: "open"; readonly contender: ContenderName; readonly work: Work; readonly threads: number }
  | { readonly kind: "sample"; readonly arm: string }
  | { readonly kind: "errors" };

export interface Timing {
  readonly ns: number;
  /** Matrices or tokens. */
  readonly amount: number;
  /** Register-only loop beside the sample, us: the slower of before and after. */
  readonly paceUs: number;
  /** How often the system took a thread of this process off its core. */
  readonly preempted: number;
  /** Processor time of all threads of this process. */
  readonly cpuNs: number;
}

export type Reply =
  | { readonly kind: "opened"; readonly about: string; readonly arms: readonly string[] }
  | { readonly kind: "timing"; readonly timing: Timing }
  | { readonly kind: "errors"; readonly errors: Readonly<Record<string, number | null>> }
  | { readonly kind: "failed"; readonly problem: string };

const pace = openPace();
let opened: Opened | null = null;
/** One token's samples follow an untimed one: while others ran, page tables and code have left the caches (2 to 6 % of a sample). */
let settles = false;

function current(): Opened {
  if (!opened) throw new Error("nothing is open");
  return opened;
}

async function sample(name: string): Promise<Timing> {
  const arm = current().arms[name];
  if (settles) await arm.run();
  const [before, used] = [pace(), process.resourceUsage()];
  const start = process.hrtime.bigint();
  const done = await arm.run();
  const ns = done.ns ?? Number(process.hrtime.bigint() - start);
  const after = process.resourceUsage();
  const cpuUs = after.userCPUTime + after.systemCPUTime - used.userCPUTime - used.systemCPUTime;
  const preempted = after.involuntaryContextSwitches - used.involuntaryContextSwitches;
  return { ns, amount: done.amount, preempted, cpuNs: cpuUs * 1000, paceUs: Math.max(before, pace()) };
}

async function answer(command: Command): Promise<Reply> {
  switch (command.kind) {
    case "open": {
      const { open } = (await import(`./${moduleOf(command.contender)}.js`)) as { open: OpenContender };
      opened = await open(command.work, command.threads, command.contender);
      settles = command.work.kind === "matmul" && command.work.tokens === 1;
      return { kind: "opened", about: opened.about, arms: Object.keys(opened.arms) };
    }
    case "sample":
      return { kind: "timing", timing: await sample(command.arm) };
    case "errors": {
      const errors: Record<string, number | null> = {};
      for (const [name, arm] of Object.entries(current().arms)) errors[name] = await arm.error();
      return { kind: "errors", errors };
    }
    default:
      return command satisfies never;
  }
}

/** Both versions of wllama are driven by one file. */
const moduleOf = (contender: ContenderName): string => (contender.startsWith("wllama-") ? "wllama" : contender);

process.on("message", async (command: Command) => {
  try {
    process.send?.(await answer(command));
  } catch (error) {
    process.send?.({ kind: "failed", problem: (error as Error).stack ?? String(error) } satisfies Reply);
  }
});
process.on("disconnect", () => process.exit(0));
