// The mappings of a process and what of them is in memory, from /proc. Reading smaps costs some 10 ms for each 256 MiB of the program.

import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import type { Clock } from "../../core/ports.js";
import type { Region } from "../../core/regions.js";
import { parseMaps } from "../../placement/maps.js";

/** Whether a program's first thread has ended; the others may go on. */
export function isFirstThreadGone(pid: number): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

/** Folders of /proc that tell of a process's memory: its own, and where its first thread has ended those of the others. */
export function memoryFolders(pid: number): string[] {
  try {
    if (!isFirstThreadGone(pid)) return [`/proc/${pid}`];
    return readdirSync(`/proc/${pid}/task`)
      .filter((tid) => Number(tid) !== pid)
      .map((tid) => `/proc/${pid}/task/${tid}`);
  } catch {
    return [];
  }
}

/** null when the process is gone. */
export function regionsOf(pid: number): readonly Region[] | null {
  for (const folder of memoryFolders(pid)) {
    for (const file of ["smaps", "maps"]) {
      try {
        const text = readFileSync(`${folder}/${file}`, "utf8");
        if (text !== "") return parseMaps(text);
      } catch {
        // The plainer file, or that of another thread, may still be readable.
      }
    }
  }
  return null;
}

/** Mappings are read again after so long, and not before reading them has cost less than a hundredth of the time. */
const FRESH_NS = 400e6;
const COST_SHARE = 0.01;

/** Reads mappings no more often than is worth it; a program that has just started is looked at soon again. */
export function cachedRegions(clock: Clock): (pid: number) => readonly Region[] | null {
  const known = new Map<number, { regions: readonly Region[] | null; dueNs: number; reads: number }>();
  return (pid) => {
    const startNs = clock.nowNs();
    const last = known.get(pid);
    if (last && startNs < last.dueNs) return last.regions;
    const regions = regionsOf(pid) ?? last?.regions ?? null;
    const costNs = clock.nowNs() - startNs;
    const reads = (last?.reads ?? 0) + 1;
    const restNs = Math.max(reads < 4 ? FRESH_NS / 8 : FRESH_NS, costNs / COST_SHARE);
    known.clear();
    known.set(pid, { regions, dueNs: startNs + restNs, reads });
    return regions;
  };
}

const PAGE_BYTES = 4096;

function openPagemap(pid: number): number {
  for (const folder of memoryFolders(pid)) {
    try {
      return openSync(`${folder}/pagemap`, "r");
    } catch {
      // Not allowed, or a thread that has ended.
    }
  }
  return -1;
}

/** Whether pages are in memory now: bit 63 of each word of /proc/PID/pagemap. */
export function openPresence(pid: number): { isPresent(address: number): boolean; close(): void } | null {
  let fd = openPagemap(pid);
  if (fd < 0) return null;
  const word = Buffer.alloc(8);
  const read = (address: number): boolean | null => {
    try {
      const got = readSync(fd, word, 0, 8, Math.floor(address / PAGE_BYTES) * 8);
      return got === 8 ? (word[7] as number) >= 0x80 : null;
    } catch {
      return null;
    }
  };
  return {
    isPresent(address) {
      const known = read(address);
      if (known !== null) return known;
      // The thread whose file it was has ended.
      const again = openPagemap(pid);
      if (again < 0) return false;
      closeSync(fd);
      fd = again;
      return read(address) ?? false;
    },
    close: () => closeSync(fd),
  };
}
