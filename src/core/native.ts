// The addon (native/) as TypeScript sees it. Results are numbers, or words in preallocated arrays; below 0 they are an errno.
// src/platform/native.ts loads it.

/** Words of one event for CounterSet and Sampler: type, flags, config, config1, config2. */
export const SPEC_WORDS = 5;
/** Words of one event that `CounterSet.read` fills: difference since the last read (scaled up where multiplexed), ns enabled, ns running. */
export const COUNT_WORDS = 3;
/** Words of one sample: tid, time ns, address, weight, data source. */
export const SAMPLE_WORDS = 5;
/** Words of one probe: touches, ns it was armed while its thread ran, 1 when its limit ended it. */
export const PROBE_WORDS = 3;
/** Numbers of one thread: pid, tid, on-CPU ns so far. */
export const THREAD_NUMBERS = 3;

export const EVENT_FLAGS = { excludeKernel: 1, enableOnExec: 2, inherit: 4, ownGroup: 8 } as const;

/** Counting events on threads, as few groups as fit. */
export interface NativeCounterSet {
  /** errors: [events] 0 or the errno of each. Gives how many opened. cpu -1: wherever the thread runs. */
  attach(tid: number, cpu: number, errors: Int32Array): number;
  /** out: [events * COUNT_WORDS], summed over all threads. Gives the groups that could be read. */
  read(out: BigUint64Array): number;
  /**
   * Reads every `epochNs` for at most `mostNs`, or until the process of the pidfd ends or a signal comes. out: [epochs][events *
   * COUNT_WORDS]; times: [1 + epochs], first 1 when the process has ended, else 0, then CLOCK_MONOTONIC ns. Gives the epochs.
   */
  gather(pidfd: number, epochNs: number, mostNs: number, out: BigUint64Array, times: Float64Array): number;
  close(): void;
}

/** Samples with addresses, in ring buffers. */
export interface NativeSampler {
  attach(tid: number): number;
  /** Gives the samples filled into out. */
  drain(out: BigUint64Array): number;
  /** Records that were lost, broken or throttled so far. */
  lost(): number;
  close(): void;
}

/** Debug registers of other threads. */
export interface NativeBreakpoints {
  /** `limit` touches end the probe, so that its cost is bounded. Gives its number, or below 0 an errno. */
  arm(tid: number, address: number, writesOnly: boolean, limit: number): number;
  /** out: [PROBE_WORDS] */
  read(probe: number, out: BigUint64Array): boolean;
  disarm(probe: number): void;
  close(): void;
}

/** What is shared with the watchdog. */
export interface NativeGuard {
  /** To hand to the watchdog as its file descriptor 3; below 0: there is none. */
  readonly fd: number;
  /** From now on stops freeze this cgroup folder ("" = by signals); the watchdog moves its processes to `homeProcs` ("" = nowhere). */
  protect(cgroup: string, homeProcs: string): number;
  /** Takes down a process that stands before its first instruction, so that its first stop is as exact as later ones. */
  note(pid: number): void;
  /** What waking the program from its first stop is taken to cost; from the second on its own times tell. */
  expectWake(ns: number): void;
  /** Stops a process and its descendants for about `ns`; gives how long they stood, waking up included and waiting for a core left out; what was told wrongly of the stop before is set right. 0: they stood already, are gone, or got no core to obey on. */
  stop(pid: number, ns: number): number;
  close(): void;
}

/** How a child of ours ended. */
export interface NativeEnd {
  /** -1: by a signal. */
  readonly code: number;
  readonly signal: number;
  readonly userNs: number;
  readonly systemNs: number;
}

export interface NativeAddon {
  readonly platform: string;
  /** Why this platform has none of the below; absent where it has all. */
  readonly unavailable?: string;
  readonly CounterSet: new (specs: BigUint64Array) => NativeCounterSet;
  readonly Sampler: new (
    spec: BigUint64Array,
    period: number,
    preciseIp: number,
    sampleType: number,
    pages: number,
  ) => NativeSampler;
  readonly Breakpoints: new () => NativeBreakpoints;
  readonly Guard: new () => NativeGuard;
  /** Starts a program that waits before its first instruction. pid below 0: the errno. `memoryNodes`: bits of NUMA nodes, 0 = any; `quiet`: its standard files are /dev/null. */
  spawn(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cgroupProcs: string,
    memoryNodes: number,
    quiet: boolean,
  ): { readonly pid: number; readonly go: number; readonly status: number };
  /** Lets it go; 0 or the errno of its start. */
  release(go: number, status: number): number;
  /** null while the child runs. */
  reap(pid: number): NativeEnd | null;
  pidfdOpen(pid: number): number;
  pidfdSignal(pidfd: number, signal: number): number;
  /** 1: the process has ended; 0: the time is over or a signal came to us. */
  waitEnd(pidfd: number, ns: number): number;
  closeFd(fd: number): number;
  /** Threads of the process and its descendants into out [threads * THREAD_NUMBERS]; gives how many there are, also when fewer fit. */
  threads(pid: number, out: Float64Array): number;
  /** State letter of /proc/PID/stat; "" when it is gone. */
  state(pid: number): string;
  /** Thaws a cgroup, moves its processes to another's cgroup.procs and removes it. */
  cgroupLeave(folder: string, homeProcs: string): number;
  /** Usual ns by which a program stands still longer than `Guard.stop` tells, measured on a child of ours. */
  stopExcess(cgroup: string, rounds: number, ns: number): number;
  /** Waits actively by the time stamp counter; gives the ns that passed. */
  spin(ns: number): number;
  /** Exactly two instructions a round, and a handful around them. */
  loop(rounds: number): void;
  /** A random pointer chase, one line a step; gives the ns of a step. */
  chase(bytes: number, steps: number): number;
}

/** Sentence and remedy for an errno of perf_event_open, by number (Linux; the same on x86, Arm and RISC-V). */
export const EVENT_ERRORS: Readonly<Record<number, { readonly reason: string; readonly remedy: string }>> = {
  1: {
    reason: "the kernel forbids it (EPERM)",
    remedy: "Give the program CAP_PERFMON, or run it as root; inside a container seccomp may forbid perf_event_open",
  },
  2: {
    reason: "this machine has no such event (ENOENT)",
    remedy: "A virtual machine often shows no hardware counters: use --source breakpoint or emulated",
  },
  3: { reason: "the process is gone (ESRCH)", remedy: "Give the pid of a running process" },
  7: { reason: "the kernel is older than this event needs (E2BIG)", remedy: "Use a newer kernel" },
  13: {
    reason: "no permission (EACCES)",
    remedy:
      "Lower /proc/sys/kernel/perf_event_paranoid (2 allows your own programs, Debian's 3 nothing), or give CAP_PERFMON",
  },
  16: {
    reason: "another program holds the counters exclusively (EBUSY)",
    remedy: "End the other profiler, or `sysctl kernel.nmi_watchdog=0`",
  },
  19: { reason: "the core or unit is not there (ENODEV)", remedy: "Use another event" },
  22: {
    reason: "the combination can never be counted (EINVAL)",
    remedy: "Ask for fewer events, or check the raw code against the CPU's table",
  },
  24: { reason: "too many open files (EMFILE)", remedy: "Raise `ulimit -n`: one file an event and thread is needed" },
  28: { reason: "no counter or debug register is free (ENOSPC)", remedy: "End debuggers and other profilers" },
  38: { reason: "the kernel has no perf events (ENOSYS)", remedy: "Use a kernel with CONFIG_PERF_EVENTS" },
  95: { reason: "the unit cannot sample this event (EOPNOTSUPP)", remedy: "Count it instead of sampling it" },
};

/** Why an event could not be opened. */
export function eventError(errno: number): { readonly reason: string; readonly remedy: string } {
  return (
    EVENT_ERRORS[errno] ?? { reason: `perf_event_open failed with errno ${errno}`, remedy: "See man perf_event_open" }
  );
}
