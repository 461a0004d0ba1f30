// `nibblemark exec`: starts a program, watches it from its first instruction on, and tells what CXL memory would cost it. The
// program owns stdin and stdout; the summary goes to stderr.

import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import type { LaunchCommand } from "../core/counters.js";
import { InputError } from "../core/errors.js";
import type { NativeAddon } from "../core/native.js";
import type { ProgramEnd, RunTimes, WatchResult } from "../core/watch.js";
import { loadNative } from "../platform/native.js";
import { nodePlatform } from "../platform/node.js";
import { PLAIN, sectionLines } from "../report/table.js";
import { watchSections } from "../report/watch.js";
import { alignedSession } from "../run/watch-align.js";
import type { Command } from "./command.js";
import { type Parsed, wholeNumber } from "./flags.js";
import { keeperBack } from "./parts/keep-back.js";
import { writeStderr } from "./parts/live-table.js";
import { inputNotes, nodeNumber, ProgramFailed, plainRuns } from "./parts/plain-runs.js";
import { openStopper } from "./parts/stopper.js";
import { suspendBetweenStops } from "./parts/suspend.js";
import { writeFailure } from "./parts/watch-failure.js";
import { openWatchModel } from "./parts/watch-model.js";
import { checkOutputs, runWatch, type WatchJob, writeWatch } from "./parts/watch-run.js";
import { type ChosenSource, chooseSource, openSources } from "./parts/watch-sources.js";
import { tellVainFlags } from "./parts/watch-vain.js";
import { findProgram, startProgram, type WatchedProcess } from "./parts/watched-process.js";
import { WATCH_FLAGS, watchSettings } from "./watch-flags.js";

const platform = nodePlatform();
/** The watched program failed. */
const FAILED = 4;
/** Runs on the far node, and alone, where --bind gives no other number. */
const BOUND_RUNS = 3;
/** Of an emulated cache; one of 64 sets still follows hundreds. */
const MOST_SAMPLE_SHIFT = 6;

interface Plan {
  readonly addon: NativeAddon;
  readonly parsed: Parsed;
  readonly settings: WatchJob["settings"];
  readonly model: WatchJob["model"];
  readonly chosen: ChosenSource;
  readonly command: LaunchCommand;
  readonly words: readonly string[];
  readonly baseline: number;
  readonly node: number | null;
  /** What the runs alone lack. */
  readonly notes: readonly string[];
}

/** Nodes that have memory. */
function memoryNodes(): number[] {
  const folder = "/sys/devices/system/node";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? [])
    .filter((node) => !/MemTotal:\s+0 kB/.test(readFileSync(`${folder}/node${node}/meminfo`, "utf8")))
    .map(Number);
}

/** On a terminal Ctrl-C and Ctrl-\ reach the program by themselves; what is sent to us alone is handed on. */
function handSignalsOn(current: () => WatchedProcess | null): void {
  let terminal = true;
  try {
    closeSync(openSync("/dev/tty", "r"));
  } catch {
    terminal = false;
  }
  const alone = ["SIGTERM", "SIGHUP", "SIGUSR2"] as const;
  for (const name of alone) process.on(name, () => current()?.signal(name));
  for (const name of ["SIGINT", "SIGQUIT"] as const) {
    process.on(name, () => {
      if (!terminal) current()?.signal(name);
    });
  }
}

async function planOf(parsed: Parsed): Promise<Plan> {
  const words = parsed.positionals;
  const [name] = words;
  if (!name) {
    throw new InputError("nibblemark exec", "PROGRAM", "is missing", "Write nibblemark exec -- PROGRAM ARGS.");
  }
  const settings = watchSettings("exec", parsed);
  await checkOutputs(parsed);
  const bind = parsed.text("bind");
  const node = bind === undefined ? null : nodeNumber(bind, memoryNodes());
  const asked = wholeNumber("exec", "baseline", parsed.text("baseline") ?? "0", 0, 1000);
  const command = { file: findProgram(name), name, args: words.slice(1), env: {} };
  const addon = loadNative();
  const model = await openWatchModel(platform, parsed, settings);
  const { llcBytes } = model.host;
  const sources = await openSources(platform, addon, { llcBytes, sampleShift: sampleOf(parsed) });
  const chosen = await chooseSource(sources, parsed.text("source"));
  tellVainFlags("exec", parsed, model, chosen);
  if (chosen.source.launch && settings.durationNs !== null) {
    const problem = "is not for --source emulated: the share of the run that was seen is not known";
    throw new InputError("nibblemark exec", "--duration", problem, "Leave it out, or take --source breakpoint.");
  }
  // Without a native run the epochs of an emulator would have no time.
  const baseline = Math.max(asked, node === null ? 0 : BOUND_RUNS, chosen.source.launch ? 1 : 0);
  return {
    addon,
    parsed,
    settings,
    model,
    chosen,
    command,
    words,
    baseline,
    node,
    notes: baseline > 0 ? inputNotes() : [],
  };
}

/** --sample as a power of two. */
function sampleOf(parsed: Parsed): number {
  const text = parsed.text("sample") ?? "1";
  const shift = Math.log2(Number(text));
  if (Number.isInteger(shift) && shift >= 0 && shift <= MOST_SAMPLE_SHIFT) return shift;
  const known = Array.from({ length: MOST_SAMPLE_SHIFT + 1 }, (_, i) => 2 ** i).join(", ");
  throw new InputError("nibblemark exec", "--sample", `"${text}" is unknown`, `Known: ${known}`);
}

interface Run {
  readonly watched: Awaited<ReturnType<typeof runWatch>>;
  readonly end: ProgramEnd;
  readonly job: WatchJob;
}

/** Starts the program in its place, watches it, and waits for its end. */
async function watchedRun(
  plan: Plan,
  alone: RunTimes | null,
  onStart: (process: WatchedProcess) => void,
): Promise<Run> {
  const { addon, parsed, settings, model, chosen, words: command } = plan;
  const { source } = chosen;
  const launch = source.launch ? await source.launch(plan.command) : plan.command;
  const stopper = settings.inject ? await openStopper(addon, null, settings.stopBy) : null;
  const target = startProgram(addon, launch, { cgroupProcs: stopper?.procs ?? "", node: null, quiet: false });
  try {
    if (stopper) suspendBetweenStops(addon, stopper.method, target.pid);
    onStart(target);
    const opened = await source.open(target.pid, true);
    const session = source.launch && alone ? alignedSession(opened, alone) : opened;
    stopper?.note(target.pid);
    const startNs = platform.clock.nowNs();
    target.begin();
    const shared = Boolean(process.stderr.isTTY) && !process.stdout.isTTY && !parsed.on("quiet");
    const live = shared || parsed.on("live");
    const parts = { platform, addon, parsed, settings, model, chosen, command, stopper, live, startNs };
    const job: WatchJob = { ...parts, process: target, stopped: () => false, keepBack: keeperBack() };
    const watched = await runWatch(job, session);
    while (!(await target.wait(1e9)));
    return { watched, end: target.end() ?? { code: null, signal: null }, job };
  } finally {
    stopper?.close();
    target.close();
  }
}

function measured(wallNs: number, alone: RunTimes | null): WatchResult["measuredSlowdown"] {
  if (!alone || alone.samplesNs.length === 0) return null;
  return { value: wallNs / alone.medianNs, range: [wallNs / alone.rangeNs[1], wallNs / alone.rangeNs[0]] };
}

/** Throws ProgramFailed; `onBegin` is told when the run that is watched begins. */
async function execute(plan: Plan, onBegin: () => void): Promise<void> {
  const { addon, chosen, command, baseline, node, settings } = plan;
  let current: WatchedProcess | null = null;
  const onStart = (process: WatchedProcess) => {
    current = process;
  };
  handSignalsOn(() => current);
  const plain = (count: number, where: number | null) =>
    plainRuns(addon, platform.clock, command, { count, node: where, onStart });
  const alone = baseline > 0 ? await plain(baseline, null) : null;
  onBegin();
  const { watched, end, job } = await watchedRun(plan, alone, onStart);
  if (end.code !== 0 || end.signal !== null) throw new ProgramFailed(command.file, end);
  const bound = node === null ? null : await plain(Math.max(BOUND_RUNS, baseline), node);
  const emulated = chosen.source.launch !== null;
  const result: WatchResult = {
    ...watched.result,
    notes: [...watched.result.notes, ...plan.notes],
    program: end,
    baseline: alone,
    measuredSlowdown: emulated || !watched.programEnded ? null : measured(watched.result.wallNs, alone),
    bound: bound && alone && node !== null ? { node, times: bound, slowdown: bound.medianNs / alone.medianNs } : null,
  };
  await writeWatch(job, result, watched.book);
  if (settings.output === "json") writeStderr(`${JSON.stringify(result, null, 2)}\n`);
  if (settings.output === "table") {
    writeStderr(
      watchSections(result)
        .flatMap((section) => sectionLines(section, PLAIN))
        .join("\n"),
    );
  }
}

async function run(parsed: Parsed): Promise<number> {
  const plan = await planOf(parsed);
  let begun = false;
  const onBegin = () => {
    begun = true;
  };
  try {
    await execute(plan, onBegin);
    return 0;
  } catch (error) {
    if (!(error instanceof ProgramFailed)) throw error;
    await writeFailure(platform, parsed, plan.words, error, begun);
    return FAILED;
  }
}

export const execCommand: Command = {
  name: "exec",
  summary: "Runs a program and tells what CXL memory would cost it, epoch by epoch.",
  usage: "[flags] -- PROGRAM [ARGS]",
  examples: [
    "exec -- sort big.txt -o sorted.txt",
    "exec --baseline 3 --topology cxl-switch --export-html timeline.html -- ./server --once",
    "exec --inject --place 'size>=64MiB=cxl0' -- python3 job.py",
    "exec --bind node1 -- ./program",
  ],
  flags: [
    ...WATCH_FLAGS,
    {
      name: "baseline",
      value: "N",
      help: "first runs it N times alone, quietly, with its own opening of an input file (0)",
    },
    {
      name: "sample",
      value: "N",
      help: "emulated: follows one of N sets of the cache (1, 2, 4, ... 64), which is faster",
    },
    { name: "bind", value: "NODE", help: "also runs it with its memory on this NUMA node: predicted beside measured" },
  ],
  positionals: Number.POSITIVE_INFINITY,
  run,
};
