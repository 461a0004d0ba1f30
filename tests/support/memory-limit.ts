// A process with little memory left: its address space is limited to what it has and so many bytes more (prlimit(1) of
// util-linux), so that drivers which compute on the CPU meet a real lack of memory. Its own threads and small things need some
// tens of MB.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { need } from "./need.js";

/** True where processes can be limited. */
export const canLimitMemory = (): boolean =>
  need(spawnSync("prlimit", ["--version"]).status === 0, "prlimit", "On Linux install util-linux");

function addressSpaceBytes(pid: number): number {
  const [, kib] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} tells no VmSize`);
  return Number(kib) * 1024;
}

/** Only the soft limit: the hard one lets it be lifted again. */
const limit = (pid: number, bytes: number | "unlimited") =>
  execFileSync("prlimit", ["--pid", `${pid}`, `--as=${bytes}:`]);

/** Runs the body while a process gets at most `bytes` more. */
export async function withMemoryLeft<T>(pid: number, bytes: number, body: () => Promise<T>): Promise<T> {
  limit(pid, addressSpaceBytes(pid) + bytes);
  try {
    return await body();
  } finally {
    limit(pid, "unlimited");
  }
}
