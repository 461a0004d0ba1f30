// What runs inside the arm64 test machine: counts known loops with the addon, as root and as a user, and runs the exec command. Prints
// one line `@@NAME JSON` for each thing; the test outside judges.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { COUNT_WORDS, EVENT_FLAGS, type NativeAddon } from "../../src/core/native.js";
import { checkEvents, specWords, tableSpecs } from "../../src/counters/perf/specs.js";
import { parseEventTable } from "../../src/counters/perf/tables.js";
import { loadNative } from "../../src/platform/native.js";

/** PERF_TYPE_HARDWARE, SOFTWARE, RAW; and the events of both architecture and kernel. */
const HARDWARE = 0n;
const SOFTWARE = 1n;
const CYCLES = [HARDWARE, 0n] as const;
const INSTRUCTIONS = [HARDWARE, 1n] as const;
const FAULTS = [SOFTWARE, 2n] as const;
const TASK_CLOCK = [SOFTWARE, 1n] as const;
const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const SELF = fileURLToPath(import.meta.url);
const LOOP = "/bin/loop";
const USER = 1000;

const tell = (name: string, value: unknown): void => console.log(`@@${name} ${JSON.stringify(value)}`);

type Event = readonly [type: bigint, config: bigint];

/** [events * SPEC_WORDS] of user-mode events. */
function words(events: readonly Event[], flags: number): BigUint64Array {
  const all = BigInt(flags | EVENT_FLAGS.excludeKernel);
  return new BigUint64Array(events.flatMap(([type, config]) => [type, all, config, 0n, 0n]));
}

interface Counted {
  readonly counts: readonly number[];
  readonly enabledNs: readonly number[];
  readonly runningNs: readonly number[];
}

function counted(out: BigUint64Array): Counted {
  const column = (at: number) => Array.from(out).flatMap((word, i) => (i % COUNT_WORDS === at ? [Number(word)] : []));
  return { counts: column(0), enabledNs: column(1), runningNs: column(2) };
}

/** Counts a program of ours from its exec to its end. */
async function countProgram(
  addon: NativeAddon,
  args: readonly string[],
  events: readonly Event[],
  flags: number,
): Promise<Counted> {
  const { pid, go, status } = addon.spawn(LOOP, ["loop", ...args], ["PATH=/bin"], "", 0, true);
  const set = new addon.CounterSet(words(events, flags | EVENT_FLAGS.enableOnExec | EVENT_FLAGS.inherit));
  const out = new BigUint64Array(events.length * COUNT_WORDS);
  set.attach(pid, -1, new Int32Array(events.length));
  set.read(out);
  addon.release(go, status);
  while (addon.reap(pid) === null) await new Promise((resolve) => setTimeout(resolve, 1));
  // After its end: what it counted stays readable.
  set.read(out);
  set.close();
  return counted(out);
}

/** A running child, counted in epochs of some 10 ms. */
async function attachRunning(addon: NativeAddon): Promise<readonly Counted[]> {
  const child: ChildProcess = spawn(LOOP, ["1000000", "forever"], { stdio: "ignore" });
  const set = new addon.CounterSet(words([CYCLES, INSTRUCTIONS], 0));
  const out = new BigUint64Array(2 * COUNT_WORDS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  set.attach(child.pid as number, -1, new Int32Array(2));
  set.read(out);
  const epochs: Counted[] = [];
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    set.read(out);
    epochs.push(counted(out));
  }
  child.kill("SIGKILL");
  set.close();
  return epochs;
}

/** Errno by what is asked, as the user that we are. */
function refusals(addon: NativeAddon, foreignPid: number): Record<string, number> {
  const errnoOf = (pid: number, event: Event, kernel: boolean): number => {
    const spec = new BigUint64Array([event[0], kernel ? 0n : BigInt(EVENT_FLAGS.excludeKernel), event[1], 0n, 0n]);
    const set = new addon.CounterSet(spec);
    const errors = new Int32Array(1);
    set.attach(pid, -1, errors);
    set.close();
    return errors[0] as number;
  };
  return {
    own: errnoOf(process.pid, INSTRUCTIONS, false),
    ownWithKernel: errnoOf(process.pid, INSTRUCTIONS, true),
    foreign: errnoOf(foreignPid, INSTRUCTIONS, false),
    ownFaults: errnoOf(process.pid, FAULTS, false),
    gone: errnoOf(4_000_000, INSTRUCTIONS, false),
  };
}

/** Starts this script again as a user under a paranoid level, for `refusals`. */
function refusedAt(level: number): unknown {
  writeFileSync("/proc/sys/kernel/perf_event_paranoid", String(level));
  const { stdout, stderr } = spawnSync(process.execPath, [SELF, "refusals"], {
    uid: USER,
    gid: USER,
    encoding: "utf8",
  });
  return stdout.startsWith("{") ? JSON.parse(stdout) : { stderr };
}

function nibblemark(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Runs exec with a summary in JSON. */
function watched(flags: readonly string[], command: readonly string[]) {
  const file = "/tmp/watch.json";
  const { status, stdout, stderr } = nibblemark(["exec", ...flags, "--export-json", file, "--", ...command]);
  const json: unknown = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
  return { status, stdout, stderr: stderr.slice(-3000), result: json };
}

/** What is to be believed of a Neoverse's events: their codes open here and read 0. */
async function rawEvents(addon: NativeAddon) {
  const file = fileURLToPath(new URL("../../../profiles/events/arm-neoverse-n1.json", import.meta.url));
  const type = Number(readFileSync("/sys/bus/event_source/devices/armv8_pmuv3/type", "utf8"));
  const specs = tableSpecs(parseEventTable(file, readFileSync(file, "utf8")), type);
  const opened = specs.map((spec) => {
    const set = new addon.CounterSet(specWords([spec], 0));
    const errors = new Int32Array(1);
    set.attach(process.pid, -1, errors);
    set.close();
    return { event: spec.name, errno: errors[0] as number };
  });
  return { opened, believed: checkEvents(addon, specs) };
}

async function main(): Promise<void> {
  const addon = loadNative();
  if (process.argv[2] === "refusals") {
    process.stdout.write(JSON.stringify(refusals(addon, 1)));
    return;
  }
  tell("units", readdirSync("/sys/bus/event_source/devices"));
  tell("paranoid", Number(readFileSync("/proc/sys/kernel/perf_event_paranoid", "utf8")));
  const group = [CYCLES, INSTRUCTIONS, FAULTS];
  const rounds = [1_000_000, 2_000_000, 3_000_000];
  const exact: Counted[] = [];
  for (const count of rounds) exact.push(await countProgram(addon, [String(count)], group, 0));
  tell("exact", exact);
  const many = Array.from({ length: 24 }, () => INSTRUCTIONS);
  tell("multiplexed", await countProgram(addon, ["200000000"], many, EVENT_FLAGS.ownGroup));
  tell("attached", await attachRunning(addon));
  tell("refused2", refusedAt(2));
  tell("refused3", refusedAt(3));
  tell("raw", await rawEvents(addon));
  tell("exec", watched(["--source", "perf"], [LOOP, "100000000"]));
  tell("alone", await countProgram(addon, ["400000000"], [TASK_CLOCK], 0));
  tell("counted", watched(["--source", "perf", "--epoch", "5"], [LOOP, "400000000"]));
  tell("bound", watched(["--bind", "node1"], [LOOP, "1000000", "32"]));
}

await main();
