// Names of what is not complete yet: hidden, beside its place, with the host and the process that writes it, so that a later
// run can take away what a killed one has left.

import { createHash, randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** Processes are known on their own host only. */
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** `.NAME.HOST.PID.RANDOM.end` in the folder of `path`. @param end only "tmp" is ever taken away by another run */
export function temporaryName(path: string, end: "tmp" | "old" = "tmp"): string {
  const unique = randomBytes(4).toString("hex");
  return join(dirname(path), `.${basename(path)}.${HOST}.${process.pid}.${unique}.${end}`);
}

/** Removes what processes of this host that are gone were writing for `path`. */
export async function removeStale(path: string): Promise<void> {
  const start = `.${basename(path)}.${HOST}.`;
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    const [, pid] = (name.startsWith(start) && /^(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name.slice(start.length))) || [];
    if (pid && !isAlive(Number(pid))) await rm(join(dirname(path), name), { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
