// What do threads cost and bring? Fork and join alone, with workers awake and asleep, beside a plain wake; then int4 products on two threads over one:
// speed, the share of the work that the worker did, processor time over wall time; all again with core 0 taken by a loop.

import { wasmTargets } from "../src/backends/wasm/variants.js";
import type { WasmVariant } from "../src/backends/wasm.js";
import type { Platform } from "../src/core/ports.js";
import { type Bed, openBed } from "./bed.js";
import { startHog } from "./peers/hog.js";
import { QUIET_CORES, waitForQuiet, watchLoad } from "./peers/load.js";
import { type Middle, middle, show } from "./samples.js";
import { wakeTimes } from "./wake.js";

const SHAPE = { rows: 4096, cols: 4096, group: 32, tokens: 1 } as const;
const BUFFER_BYTES = 640e6;
const THREADS = 2;
const MATRICES = 8;
/** Two threads over one that we want, on a quiet machine and with one core taken by another process. */
const BAR = 1.8;
const BAR_TAKEN = 0.95;
/** Rounds between two looks at the load, and the longest wait for quiet. */
const BLOCK = 5;
const PATIENCE_MS = 500;

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] as number;

/** us of calling both threads together and back. */
async function forkJoin(platform: Platform, bed: Bed, pauseMs: number, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const before = platform.clock.nowNs();
    const met = bed.kernels.rendezvous(THREADS);
    times.push((platform.clock.nowNs() - before) / 1e3);
    if (met !== THREADS) throw new Error(`${met} threads met, not ${THREADS}`);
  }
  return times;
}

const spread = (times: readonly number[]): string =>
  `${[0.1, 0.5, 0.9].map((q) => quantile(times, q).toFixed(1)).join(" / ")} us (10th, 50th, 90th percentile)`;

interface Sample {
  readonly ns: number;
  /** Share of all units that the worker did. */
  readonly helped: number;
  /** Processor time of this process over wall time. */
  readonly cpu: number;
}

function product(platform: Platform, bed: Bed, all: boolean): Sample {
  bed.setThreads(all);
  const at = bed.next(MATRICES);
  const [helped, used] = [bed.kernels.helpedUnits(), process.cpuUsage()];
  const before = platform.clock.nowNs();
  for (let i = 0; i < MATRICES; i++) bed.multiply(at + i * bed.matrixBytes, "int8");
  const ns = platform.clock.nowNs() - before;
  const { user, system } = process.cpuUsage(used);
  const units = (MATRICES * SHAPE.rows) / 64;
  return { ns, helped: (bed.kernels.helpedUnits() - helped) / units, cpu: ((user + system) * 1e3) / ns };
}

async function scaling(
  platform: Platform,
  bed: Bed,
  rounds: number,
  own: readonly number[],
  bar: number,
): Promise<string> {
  const [one, two]: [Sample[], Sample[]] = [[], []];
  let [tried, used] = [0, 0];
  for (; one.length < rounds && tried < 2 * rounds; tried += BLOCK) {
    await waitForQuiet(own, PATIENCE_MS);
    const load = watchLoad(own);
    const block = Array.from(
      { length: BLOCK },
      () => [product(platform, bed, false), product(platform, bed, true)] as const,
    );
    const others = load() ?? 0;
    if (others > QUIET_CORES) continue;
    used += others * BLOCK;
    one.push(...block.map(([sample]) => sample));
    two.push(...block.map(([, sample]) => sample));
  }
  if (one.length === 0) return "others were never quiet";
  const over: Middle = middle(one.map(({ ns }, i) => ns / (two[i] as Sample).ns));
  const total = (samples: readonly Sample[]) => samples.reduce((sum, { ns }) => sum + ns, 0);
  const of = (value: (sample: Sample) => number, q: number) => quantile(two.map(value), q).toFixed(2);
  const slow = two.filter(({ ns }, i) => (one[i] as Sample).ns / ns < 1.2);
  const why = slow.length ? `; ${slow.length} rounds below 1.2: ${causes(slow)}` : "";
  const share = `worker's share ${of(({ helped }) => helped, 0.1)} to ${of(({ helped }) => helped, 0.9)}`;
  const mean = `mean ${(total(one) / total(two)).toFixed(2)}`;
  const load = `${one.length} of ${tried} rounds quiet, others used ${(used / one.length).toFixed(2)} cores`;
  const verdict = `bar ${bar}: ${over.median >= bar ? "reached" : "not reached"}`;
  return `median ${show(over)} (${verdict}), ${mean}, ${share}, processor time ${of(({ cpu }) => cpu, 0.5)} of wall${why} (${load})`;
}

/** What slow two-thread samples have in common: no processor, a worker that slept, or neither, which leaves the host. */
function causes(slow: readonly Sample[]): string {
  const lost = slow.filter(({ cpu }) => cpu < 1.7).length;
  const idle = slow.filter(({ cpu, helped }) => cpu >= 1.7 && helped < 0.3).length;
  return `${lost} without two processors, ${idle} without the worker's help, ${slow.length - lost - idle} with both (the host)`;
}

/** Prints fork and join, then two threads over one, quiet and beside a loop on core 0. */
export async function threads(platform: Platform, rounds: number): Promise<void> {
  const running = (await wasmTargets(platform, THREADS)).filter(
    ({ available, target }) => available && target.threads > 1,
  );
  const variant = running[running.length - 1]?.target.variant as WasmVariant | undefined;
  if (!variant) return console.log("threads: this machine shares no memory between threads");
  const bed = await openBed(platform, variant, SHAPE, BUFFER_BYTES, THREADS);
  try {
    await forkJoin(platform, bed, 0, 300);
    for (const [name, pauseMs] of [
      ["awake", 0],
      ["asleep", 2],
    ] as const) {
      const times = await forkJoin(platform, bed, pauseMs, 10 * rounds);
      console.log(`fork + join of ${THREADS} threads, workers ${name}: ${spread(times)}`);
    }
    console.log(`one thread woken by a plain Atomics.notify: ${spread(await wakeTimes(10 * rounds, 2))}`);
    for (let i = 0; i < 20; i++) product(platform, bed, i % 2 === 1);
    console.log(`int4 ${SHAPE.rows}x${SHAPE.cols}, ${variant}, ${MATRICES} products a sample, two threads over one:`);
    console.log(`  ${await scaling(platform, bed, rounds, [], BAR)}`);
    const hog = await startHog();
    try {
      console.log(`  core 0 taken: ${await scaling(platform, bed, rounds, [hog.pid], BAR_TAKEN)}`);
    } finally {
      hog.stop();
    }
  } finally {
    await bed.close();
  }
}
