// What may stop a watched program: a cgroup of its own that is frozen where we may make one, else signals; always with a
// watchdog that lets it run on if we die.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "../../core/errors.js";
import type { NativeAddon } from "../../core/native.js";
import { startWatchdog, type Watchdog } from "../../platform/native.js";
import { isFirstThreadGone } from "./watched-memory.js";

/** Shortest and number of the stops that tell how much longer a program really stands. */
const TRIAL_NS = 1e6;
const TRIALS = 15;
/** A core is woken within this; more is other programs' doing. */
const MOST_EXCESS_NS = 60_000;

export interface Stopper {
  readonly method: "cgroup" | "signals";
  /** cgroup.procs that a program is started in; "" = ours. */
  readonly procs: string;
  /** Puts a running process and its descendants there; never ourselves or the watchdog. */
  adopt(pids: readonly number[]): void;
  /** Takes down a program that waits for its start. */
  note(pid: number): void;
  /** Stops the process; gives the ns it stood, 0 when it did not. */
  stop(pid: number, ns: number): number;
  close(): void;
}

interface Folder {
  readonly path: string;
  /** cgroup.procs that processes go back to. */
  readonly home: string;
}

/** The cgroup v2 folder of a process; null where there is no v2 hierarchy. */
function folderOf(pid: number | "self"): string | null {
  const line = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
  const mount = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(join(path, "cgroup.procs")));
  return line === undefined || !mount ? null : join(mount, line);
}

/** A folder below the process's own, so that its limits hold on; null where we may not make one. */
function makeFolder(pid: number | "self"): Folder | null {
  try {
    const parent = folderOf(pid);
    if (!parent) return null;
    const path = join(parent, `nibblemark-${process.pid}-${Date.now().toString(36)}`);
    mkdirSync(path);
    if (existsSync(join(path, "cgroup.freeze"))) return { path, home: join(parent, "cgroup.procs") };
    rmdirSync(path);
    return null;
  } catch {
    return null;
  }
}

/**
 * Opens what stops programs; `pid`: one that runs already, else one will be started; `method` null: a cgroup where one can be made.
 * Throws UnavailableError without a watchdog, or without a cgroup where one is asked for.
 */
export async function openStopper(
  addon: NativeAddon,
  pid: number | null,
  method: Stopper["method"] | null,
): Promise<Stopper> {
  const guard = new addon.Guard();
  if (guard.fd < 0) throw new UnavailableError("--inject", "no shared memory for the watchdog", "Free some memory.");
  const watchdog: Watchdog = await startWatchdog(guard.fd);
  const pinned = pid !== null && isFirstThreadGone(pid);
  const folder = method === "signals" || pinned ? null : makeFolder(pid ?? "self");
  if (method === "cgroup" && !folder) {
    watchdog.close();
    const reason = pinned
      ? "the program's first thread has ended and could not be moved out again"
      : "no cgroup v2 folder could be made";
    const remedy = pinned ? "Use --stop-by signals." : "Run as root, or use --stop-by signals.";
    throw new UnavailableError("--stop-by cgroup", reason, remedy);
  }
  guard.protect(folder?.path ?? "", folder?.home ?? "");
  guard.expectWake(Math.min(MOST_EXCESS_NS, Math.max(0, addon.stopExcess(folder?.path ?? "", TRIALS, TRIAL_NS))));
  return {
    method: folder ? "cgroup" : "signals",
    procs: folder ? join(folder.path, "cgroup.procs") : "",
    adopt(running) {
      if (!folder) return;
      for (const one of running) {
        if (one === process.pid || one === watchdog.pid) continue;
        try {
          writeFileSync(join(folder.path, "cgroup.procs"), String(one));
        } catch (error) {
          // Gone meanwhile is no harm; not allowed is.
          if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
      }
    },
    note: (waiting) => guard.note(waiting),
    stop(running, ns) {
      if (!watchdog.alive()) return 0;
      return Math.max(0, guard.stop(running, ns));
    },
    close() {
      if (folder) addon.cgroupLeave(folder.path, folder.home);
      guard.protect("", "");
      watchdog.close();
      guard.close();
    },
  };
}
