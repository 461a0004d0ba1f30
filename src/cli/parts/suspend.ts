// Ctrl-Z while delays are injected. Left to the kernel it would stop us in the middle of a stop of ours, and letting the program go
// on again by SIGCONT takes the program's own Ctrl-Z back.

import { readFileSync } from "node:fs";
import type { NativeAddon } from "../../core/native.js";
import type { Stopper } from "./stopper.js";
import { treeOf } from "./watched-process.js";

/** Field 5 of /proc/PID/stat; null when it is gone. */
function groupOf(pid: number | "self"): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[2] ?? null;
  } catch {
    return null;
  }
}

/** From now on Ctrl-Z stops us between two stops, and what of the program belongs to our job again. */
export function suspendBetweenStops(addon: NativeAddon, method: Stopper["method"], pid: number): void {
  process.on("SIGTSTP", () => {
    const own = groupOf("self");
    const job = method === "signals" ? treeOf(addon, pid).filter((one) => groupOf(one) === own) : [];
    for (const one of job) {
      try {
        process.kill(one, "SIGTSTP");
      } catch {
        // Gone meanwhile.
      }
    }
    process.kill(process.pid, "SIGSTOP");
  });
}
