// Which processes are nibblemark's own: a stop of them would stop what is to let them run on again.

import { readFileSync } from "node:fs";
import { InputError } from "../../core/errors.js";
import type { NativeAddon } from "../../core/native.js";
import { treeOf } from "./watched-process.js";

/** Field 4 of /proc/PID/stat; 0 when it is gone, or has no parent that we see. */
function parentOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

/** Our parent first. */
export function ancestors(): number[] {
  const pids: number[] = [];
  for (let pid = process.ppid; pid > 0 && !pids.includes(pid); pid = parentOf(pid)) pids.push(pid);
  return pids;
}

/** Throws InputError for a process that we cannot watch, or cannot stop, without watching or stopping ourselves. */
export function refuseOwn(addon: NativeAddon, pid: number, stops: boolean): void {
  const refuse = (what: string) => {
    const problem = `process ${pid} is ${what}: it would ${stops ? "stop" : "watch"} itself`;
    throw new InputError("nibblemark attach", "", problem, "Attach from a shell that the program has not started");
  };
  if (pid === process.pid) refuse("nibblemark itself");
  if (treeOf(addon, process.pid).includes(pid)) refuse("nibblemark's own child");
  const above = ancestors().indexOf(pid);
  if (stops && above >= 0) refuse(above === 0 ? "nibblemark's own parent" : "an ancestor of nibblemark's own");
}
