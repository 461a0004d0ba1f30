// The counter source `emulated`: the program runs under QEMU user mode with our plugin (native/emulated), which models its caches. It
// needs no PMU and no rights, knows addresses and patterns, and starts programs only. Its epochs have no time: that comes
// from a native run, by instructions.

import type { CountedEpoch, LaunchCommand, SourceStatus } from "../core/counters.js";
import type { EmulatorFiles, EmulatorHost, Program } from "../core/emulator.js";
import { InputError, UnavailableError } from "../core/errors.js";
import type { CounterSession, CounterSource } from "../core/ports.js";
import { newProcess, type ProcessState, regionsOf, takeLine } from "./emulated/lines.js";
import { cacheShape, shapeBytes } from "./emulated/shape.js";

export interface EmulatedOptions {
  /** Effective last-level cache; half and one and a half of it are modelled in the same run. */
  readonly llcBytes: number;
  /** Instructions of one thread after which its epoch ends, at the next miss. */
  readonly epochInstructions: number;
  /** One of 2^n sets is followed; 0 = all. */
  readonly sampleShift?: number;
  /** Bytes of a range whose lines are counted together, a power of two from 4096 on (65536). */
  readonly regionBytes?: number;
}

const DEFAULT_REGION_BYTES = 65536;
const MOST_SCRIPTS = 4;

/** A program's file and first arguments, through the interpreters of scripts. Throws InputError for what cannot be emulated. */
function resolve(host: EmulatorHost, file: string, depth = 0): readonly string[] {
  const refuse = (problem: string, remedy: string): never => {
    throw new InputError("exec --source emulated", file, problem, remedy);
  };
  const program: Program = host.program(file);
  switch (program.kind) {
    case "unusable":
      return refuse(program.problem, program.remedy);
    case "script": {
      if (depth >= MOST_SCRIPTS) return refuse("names one script after another as interpreter", "Give a program.");
      const [interpreter = "", ...rest] = program.interpreter;
      return [...resolve(host, interpreter, depth + 1), ...rest, program.path];
    }
    case "elf": {
      const other = "Use --source breakpoint, which watches any program.";
      if (program.bits === 32) return refuse("is a 32-bit program; only 64-bit ones are emulated", other);
      if (program.machine !== host.machine)
        return refuse("is built for another processor", "Give a program for this one.");
      if (program.setuid)
        return refuse("is setuid or setgid, and the emulator would run it without those rights", other);
      return [program.path];
    }
    default:
      return program satisfies never;
  }
}

function pluginText(plugin: string, path: string, options: EmulatedOptions): string {
  const { sets, ways } = cacheShape(options.llcBytes);
  const chunk = Math.log2(options.regionBytes ?? DEFAULT_REGION_BYTES);
  // A comma in a path would end the option; QEMU reads a doubled one as one.
  const escaped = (text: string) => text.replaceAll(",", ",,");
  const model = `sets=${sets},ways=${ways.join(":")},sample=${options.sampleShift ?? 0},chunk=${chunk}`;
  return `${escaped(plugin)},out=${escaped(path)},${model},epoch=${options.epochInstructions}`;
}

function notesOf(options: EmulatedOptions, processes: ReadonlyMap<string, ProcessState>): string[] {
  const mib = shapeBytes(cacheShape(options.llcBytes)).map((bytes) => (bytes / 2 ** 20).toFixed(1));
  const states = [...processes.values()];
  const execs = states.reduce((sum, { execs }) => sum + execs, 0);
  const broken = states.reduce((sum, { broken }) => sum + broken, 0);
  const shift = options.sampleShift ?? 0;
  return [
    `emulated: lines of a modelled cache of ${mib[1]} MiB (range: ${mib[2]} to ${mib[0]} MiB), not of this machine's own`,
    "emulated: delays range from the largest cache with irregular lines in flight together to the smallest with one at a time",
    ...(shift > 0 ? [`emulated: one of ${2 ** shift} sets was followed, its lines stand for all`] : []),
    ...(execs > 0
      ? [`emulated: ${execs} exec went on without the emulator; what ran there is not counted, so nothing is predicted`]
      : []),
    ...(broken > 0 ? [`emulated: ${broken} broken lines of the plugin were left out`] : []),
  ];
}

function session(files: EmulatorFiles, options: EmulatedOptions): CounterSession {
  const processes = new Map<string, ProcessState>();
  const read = (): CountedEpoch[] =>
    files.read().flatMap(({ process, text }) => {
      const state = processes.get(process) ?? newProcess();
      processes.set(process, state);
      const lines = text.split("\n").filter((line) => line !== "");
      return lines.map((line) => takeLine(state, line)).filter((epoch) => epoch !== null);
    });
  return {
    read,
    finish: async () => read(),
    regions: () => [...processes.values()].flatMap(regionsOf),
    get notes() {
      return notesOf(options, processes);
    },
    get incomplete() {
      return [...processes.values()].some(({ execs }) => execs > 0);
    },
    close: () => files.remove(),
  };
}

async function probe(host: EmulatorHost): Promise<SourceStatus> {
  try {
    const { file, version } = host.find();
    const model = (event: string, detail: string) => ({ event, available: true as const, detail });
    const events = [model("instructions", "counted by the emulator"), model("llcMisses", "of a modelled cache")];
    return { available: true, detail: `${file} ${version} with our plugin; starts programs, does not attach`, events };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { available: false, reason: error.reason, remedy: error.remedy, events: [] };
  }
}

/**
 * Opens the source. `launch` gives the command that runs a program under the emulator, `open` what it then writes. Epochs are of one
 * thread each and have no time. Throws UnavailableError without QEMU, InputError for programs that it cannot run.
 */
export function openEmulated(host: EmulatorHost, options: EmulatedOptions): CounterSource {
  let files: EmulatorFiles | null = null;
  return {
    name: "emulated",
    probe: () => probe(host),
    launch: async ({ file, name, args, env }: LaunchCommand) => {
      const emulator = host.find();
      const [program = "", ...first] = resolve(host, file);
      files = host.files();
      const plugin = ["-plugin", pluginText(emulator.plugin, files.path, options)];
      // A script's interpreter is started by its own name, as the kernel does.
      const own = first.length > 0 || name === "" ? program : name;
      return {
        file: emulator.file,
        name: emulator.file,
        args: [...plugin, "-0", own, program, ...first, ...args],
        env,
      };
    },
    open: async () => {
      if (files) return session(files, options);
      const reason = "it starts programs and cannot attach to a running one";
      throw new UnavailableError("the emulated counter source", reason, "Use exec, or attach with --source breakpoint");
    },
  };
}
