// The program that is watched: started so that it waits before its first instruction, or found by its pid. Its standard input and
// output stay its own; signals for us alone are handed on.

import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { constants as os } from "node:os";
import { delimiter, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { LaunchCommand } from "../../core/counters.js";
import { InputError, UnavailableError } from "../../core/errors.js";
import type { NativeAddon } from "../../core/native.js";
import type { ProgramEnd } from "../../core/watch.js";
import { memoryFolders } from "./watched-memory.js";

/** So long at most are signals to us kept waiting. */
const SLICE_NS = 50e6;

export interface WatchedProcess {
  readonly pid: number;
  /** Lets a started program run. Throws InputError when it cannot be started. */
  begin(): void;
  /** Waits at most `ns`; true once it has ended. */
  wait(ns: number): Promise<boolean>;
  /** Waits by a function of the process's pidfd that tells whether it has ended, in at most so many ns. */
  waitBy(look: (pidfd: number, mostNs: number) => boolean): Promise<boolean>;
  /** How it ended; null while it runs, or when it was only attached to. */
  end(): ProgramEnd | null;
  /** Its processor time and that of the children it waited for; null before its end. */
  cpuNs(): number | null;
  signal(name: NodeJS.Signals): void;
  close(): void;
}

export interface StartOptions {
  /** cgroup.procs to start in, "" = ours. */
  readonly cgroupProcs: string;
  /** NUMA node of its memory; null = any. */
  readonly node: number | null;
  /** Its standard files are /dev/null, but an input that is a regular file is opened anew. */
  readonly quiet: boolean;
}

/** The file that a command names, by PATH. Throws InputError for what is missing or cannot be executed. */
export function findProgram(name: string): string {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = name.includes("/") ? [name] : folders.map((folder) => join(folder, name));
  const found = candidates.filter((path) => existsSync(path));
  if (found.length === 0) {
    const where = name.includes("/") ? "no such file" : "not found in PATH";
    throw new InputError("nibblemark exec", name, where, "Check the name, or give its whole path.");
  }
  const runs = found.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return !statSync(path).isDirectory();
    } catch {
      return false;
    }
  });
  if (runs) return runs;
  throw new InputError("nibblemark exec", name, "is not executable", "Make it so (chmod +x), or name another program.");
}

const signalName = (number: number): string =>
  Object.entries(os.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;

function waiter(addon: NativeAddon, pidfd: number) {
  return async (ns: number): Promise<boolean> => {
    const end = process.hrtime.bigint() + BigInt(Math.round(ns));
    for (;;) {
      const left = Number(end - process.hrtime.bigint());
      const ended = addon.waitEnd(pidfd, Math.max(0, Math.min(left, SLICE_NS))) === 1;
      await setImmediate();
      // A signal to us ends a wait early.
      if (ended || process.hrtime.bigint() >= end) return ended;
    }
  };
}

function waiterBy(pidfd: number) {
  return async (look: (pidfd: number, mostNs: number) => boolean): Promise<boolean> => {
    const ended = look(pidfd, SLICE_NS);
    await setImmediate();
    return ended;
  };
}

/** Starts a program that waits. Throws InputError when there cannot be another process. */
export function startProgram(addon: NativeAddon, command: LaunchCommand, options: StartOptions): WatchedProcess {
  const env = Object.entries({ ...process.env, ...command.env }).map(([name, value]) => `${name}=${value}`);
  const nodes = options.node === null ? 0 : 2 ** options.node;
  const args = [command.name || command.file, ...command.args];
  const spawned = addon.spawn(command.file, args, env, options.cgroupProcs, nodes, options.quiet);
  if (spawned.pid < 0) {
    throw new UnavailableError("a new process", `fork failed with errno ${-spawned.pid}`, "Raise ulimit -u");
  }
  const { pid } = spawned;
  const pidfd = addon.pidfdOpen(pid);
  const wait = waiter(addon, pidfd);
  let ended: ProgramEnd | null = null;
  let cpuNs: number | null = null;
  const end = () => {
    if (ended) return ended;
    const status = addon.reap(pid);
    if (!status) return null;
    cpuNs = status.userNs + status.systemNs;
    ended = status.signal ? { code: null, signal: signalName(status.signal) } : { code: status.code, signal: null };
    return ended;
  };
  return {
    pid,
    begin() {
      const errno = addon.release(spawned.go, spawned.status);
      if (errno === 0) return;
      end();
      const [problem, remedy] = startProblem(errno);
      throw new InputError("nibblemark exec", command.file, problem, remedy);
    },
    wait,
    waitBy: waiterBy(pidfd),
    end,
    cpuNs: () => cpuNs,
    signal(name) {
      addon.pidfdSignal(pidfd, os.signals[name]);
    },
    close() {
      addon.closeFd(pidfd);
    },
  };
}

function startProblem(errno: number): [problem: string, remedy: string] {
  switch (errno) {
    case os.errno.ENOENT:
      return ["cannot be started: it or its interpreter is missing", "Check the first line of a script."];
    case os.errno.EACCES:
    case os.errno.EPERM:
      return ["is not allowed to start", "Check its permissions, and those of its cgroup or NUMA node."];
    case os.errno.ENOEXEC:
      return ["is no program of this machine", "Give a program, or a script whose first line names one (#!)."];
    default:
      return [`cannot be started (errno ${errno})`, "Try it without nibblemark."];
  }
}

/** Attaches to a running process. Throws InputError for what cannot be watched. */
export function attachTo(addon: NativeAddon, pid: number): WatchedProcess {
  const refuse = (problem: string, remedy: string) => new InputError("nibblemark attach", String(pid), problem, remedy);
  const pidfd = addon.pidfdOpen(pid);
  const state = addon.state(pid);
  if (pidfd < 0 || state === "") {
    throw refuse("there is no such process", "Give the pid of a running one (ps).");
  }
  const close = () => void addon.closeFd(pidfd);
  if (state === "Z" || state === "X") {
    close();
    throw refuse("has ended already (a zombie)", "Its parent has not taken note of it; watch another.");
  }
  if (isKernelThread(pid)) {
    close();
    throw refuse("is a thread of the kernel", "Only programs have memory to place.");
  }
  if (!mayRead(pid)) {
    close();
    if (process.geteuid?.() === 0)
      throw refuse("may not be looked at", "It is protected even from root; watch another.");
    throw refuse("belongs to another user", "Run as that user, or as root.");
  }
  return {
    pid,
    begin: () => {},
    wait: waiter(addon, pidfd),
    waitBy: waiterBy(pidfd),
    end: () => null,
    cpuNs: () => null,
    signal: () => {},
    close,
  };
}

/** A process and all below it, without ourselves and what is below us. */
export function treeOf(addon: NativeAddon, pid: number): number[] {
  const out = new Float64Array(3 * 65536);
  const count = Math.min(addon.threads(pid, out), 65536);
  return [...new Set(Array.from({ length: count }, (_, i) => out[i * 3] as number))];
}

/** PF_KTHREAD of the flags, field 9 of /proc/PID/stat. */
function isKernelThread(pid: number): boolean {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const flags = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[6]);
  return (flags & 0x00200000) !== 0;
}

function mayRead(pid: number): boolean {
  try {
    for (const folder of memoryFolders(pid)) readFileSync(`${folder}/maps`, "utf8");
    return true;
  } catch {
    return false;
  }
}
