// What the emulated counter source costs the program and how near its counts are: processor time of runs under it over plain runs,
// interleaved, and lines that miss against cachegrind's model of the same cache. Part of `npm run speed -- watch`.

import { openEmulated } from "../src/counters/emulated.js";
import { emulatorHost } from "../src/platform/emulator.js";
import { loadNative } from "../src/platform/native.js";
import { compileHost } from "../tests/embedding/native.js";
import { buildPlugin, cachegrindMisses, compileProgram, sumOf } from "../tests/emulated/bed.js";
import { middle, ratio, show } from "./samples.js";

const LLC_BYTES = 2 ** 25;
const WANTED = 4.41;
/** Runs of up to ten seconds each. */
const MOST_ROUNDS = 5;
/** One of 2^n sets, for the sampled arm. */
const SHIFTS = [0, 3] as const;

interface Program {
  readonly name: string;
  readonly command: readonly string[];
}

function programs(): Program[] {
  const stream = (name: string, number: string) => ({
    name,
    command: [compileProgram("stream", ["-O2", "-static", `-DNUMBER=${number}`], `stream-${number}`), "32", "20"],
  });
  return [
    { name: "chase", command: [compileProgram("chase"), "64", "4000000"] },
    stream("stream", "long"),
    { name: "sort", command: [compileProgram("sort"), "4000000"] },
    {
      name: "decode",
      command: [compileHost("decode", "kernels.scalar", "kernels"), "1024", "16", "2816", "8", "1024", "8"],
    },
    stream("stream, doubles", "double"),
  ];
}

/** Processor time of a run, ns. */
async function cpuNs(file: string, args: readonly string[]): Promise<number> {
  const addon = loadNative();
  const started = addon.spawn(file, args, [`PATH=${process.env.PATH}`], "", 0, true);
  const failed = addon.release(started.go, started.status);
  if (failed !== 0) throw new Error(`${file} did not start: errno ${failed}`);
  for (;;) {
    const end = addon.reap(started.pid);
    if (end === null) await new Promise((resolve) => setTimeout(resolve, 2));
    else if (end.code === 0) return end.userNs + end.systemNs;
    else throw new Error(`${file} ended with ${end.code}`);
  }
}

const plain = ({ command }: Program) => cpuNs(command[0] as string, command);

/** One run under the source: its processor time and the lines that it counted. */
async function emulatedRun({ command }: Program, sampleShift: number): Promise<{ ns: number; lines: number }> {
  const source = openEmulated(emulatorHost(), { llcBytes: LLC_BYTES, epochInstructions: 1e7, sampleShift });
  const [file = "", ...args] = command;
  if (!source.launch) throw new Error("the source starts nothing");
  const launch = await source.launch({ file, name: "", args, env: {} });
  const ns = await cpuNs(launch.file, [launch.name, ...launch.args]);
  const session = await source.open(0, false);
  try {
    return { ns, lines: sumOf(await session.finish(), "llcMisses") };
  } finally {
    session.close();
  }
}

interface Measured {
  readonly name: string;
  /** [SHIFTS] medians. */
  readonly slowdowns: readonly number[];
}

async function measure(program: Program, rounds: number): Promise<Measured> {
  const times: number[][] = [[], ...SHIFTS.map(() => [])];
  const lines = SHIFTS.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    times[0]?.push(await plain(program));
    for (const [i, shift] of SHIFTS.entries()) {
      const run = await emulatedRun(program, shift);
      times[i + 1]?.push(run.ns);
      lines[i] = run.lines;
    }
  }
  const theirs = cachegrindMisses(program.command, LLC_BYTES);
  const cells = SHIFTS.map((shift, i) => {
    const error = ((lines[i] as number) / theirs - 1) * 100;
    const what = shift === 0 ? "all sets" : `1 of ${2 ** shift} sets`;
    return `${what} ${show(ratio(times[i + 1] ?? [], times[0] ?? []))}x, lines ${error.toFixed(3)} % off`;
  });
  const plainMs = middle(times[0] ?? []).median / 1e6;
  console.log(`  ${program.name.padEnd(16)} ${plainMs.toFixed(0)} ms alone; ${cells.join("; ")}`);
  return { name: program.name, slowdowns: SHIFTS.map((_, i) => ratio(times[i + 1] ?? [], times[0] ?? []).median) };
}

const geometric = (values: readonly number[]) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Prints slowdown and error of each program, and the geometric mean of the first four. */
export async function emulated(rounds: number): Promise<void> {
  buildPlugin();
  const count = Math.min(rounds, MOST_ROUNDS);
  console.log(
    `emulated counters, ${LLC_BYTES / 2 ** 20} MiB of cache, processor time over plain, medians of ${count}:`,
  );
  const measured: Measured[] = [];
  for (const program of programs()) measured.push(await measure(program, count));
  for (const [i, shift] of SHIFTS.entries()) {
    const of = (names: readonly string[]) =>
      geometric(
        measured.filter(({ name }) => names.includes(name)).map(({ slowdowns }) => slowdowns[i] as number),
      ).toFixed(2);
    const what = shift === 0 ? "all sets" : `1 of ${2 ** shift} sets`;
    const [whole, doubles] = [
      of(["chase", "stream", "sort", "decode"]),
      of(["chase", "stream, doubles", "sort", "decode"]),
    ];
    console.log(`  geometric mean, ${what}: ${whole}x, wanted ${WANTED}; with the stream in doubles ${doubles}x`);
  }
}
