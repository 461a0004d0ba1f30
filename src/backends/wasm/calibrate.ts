// The memory side of a calibration, in WebAssembly: chases alone and beside paced traffic of other threads. Nothing here
// needs Node; a page's worker can run it where it may share memory.

import { clockStepNs, pieceLength } from "../../core/clock.js";
import type {
  CalibrationMemory,
  ChaseShape,
  Platform,
  Pressure,
  PressureKind,
  WorkerHandle,
} from "../../core/ports.js";
import { LINE_BYTES, MIB } from "../../core/units.js";
import { openArena } from "./arena.js";
import { CHASE_STATE_BYTES, openChase } from "./chase.js";
import { loadKernels } from "./kernels.js";
import { lowQuantile, pieceCount, pieceNs } from "./pieces.js";
import { knowsInstructions, noThreads } from "./support.js";

const KINDS: Readonly<Record<PressureKind, number>> = { read: 0, store: 1, copy: 2, fill: 3 };
/** Beyond what one program keeps in a cache; traffic has areas of its own, as stores would undo the links of a chase. */
const CHASE_BYTES = 256 * MIB;
const AREA_BYTES = 64 * MIB;
const DRAM_SHAPE: ChaseShape = { strideBytes: 2 * LINE_BYTES, blockBytes: 4 * MIB };
/** One line a page, each a line further in its page than the one before: lines spread over all cache sets. */
const PAGE_STRIDE = 4096 + LINE_BYTES;
const CORE_PIECES = 24;
const CORE_STEPS = 256;
const WINDOWS = 8;
const WINDOW_MS = 25;
const LOADED_PIECES = 200;
/** Words of assembly/kernels/pressure.ts that end a worker's traffic, and how long that may take. */
const STOP = 1;
const STOPPED = 2;
const STOP_TRIES = 200;
const STOP_TRY_MS = 5;

interface Block {
  readonly at: number;
  readonly area: number;
}

export interface OpenCalibration extends CalibrationMemory {
  close(): Promise<void>;
}

/** Opens buffers for a calibration with up to `threads` threads of traffic. Throws InputError when memory is short. */
export async function openCalibrationMemory(platform: Platform, threads: number): Promise<OpenCalibration> {
  const variant = knowsInstructions("simd") ? "simd" : "scalar";
  const count = noThreads(platform, variant) === null ? threads : 0;
  const loaded = await loadKernels(platform, variant, count > 0);
  const { kernels, memory, module } = loaded;
  const arena = openArena(memory, kernels.heapBase() >>> 0, "calibration");
  const stateAt = arena.take(CHASE_STATE_BYTES);
  const blockBytes = kernels.PRESSURE_BYTES.value as number;
  const start = arena.take(CHASE_BYTES);
  const coreArea = arena.take(AREA_BYTES);
  const blocks: Block[] = Array.from({ length: count }, () => ({
    at: arena.take(blockBytes),
    area: arena.take(AREA_BYTES),
  }));
  arena.grow();
  // Every byte is written, so that no page is the system's shared zero page.
  new Uint8Array(memory.buffer, start).fill(1);
  for (const block of blocks) clearBlock(memory, block);
  const { clock } = platform;
  const stepNs = clockStepNs(clock);
  const chase = openChase({ kernels, memory, clock, clockStepNs: stepNs, start, bytes: CHASE_BYTES, stateAt });
  const spawn = (block: Block) =>
    platform.workers?.spawnWorker({ module, memory, entry: "pressUntilStopped", args: [block.at] });
  return {
    threads: count,
    clockStepNs: stepNs,
    chaseNs: async (bytes, shape) => chase.stepNs(bytes, 1, shape),
    chainsNs: async (chains) => chase.stepNs(CHASE_BYTES, chains, DRAM_SHAPE),
    async pagesNs(pages) {
      return chase.stepNs(pages * PAGE_STRIDE, 1, { strideBytes: PAGE_STRIDE, blockBytes: pages * PAGE_STRIDE });
    },
    async coreStepsPerSecond(kind, bytes) {
      let offset = 0;
      const run = (steps: number) => {
        offset = kernels.press(KINDS[kind], coreArea, Math.min(bytes, AREA_BYTES), offset, steps, 0, stateAt) >>> 0;
      };
      run(CORE_STEPS);
      const steps = pieceLength(clock, stepNs, CORE_STEPS, run);
      return (steps * 1e9) / lowQuantile(pieceNs(clock, pieceCount(CORE_PIECES, stepNs), () => run(steps)));
    },
    async underPressure(used, body) {
      const active = blocks.slice(0, used);
      const workers = (await Promise.all(active.map(spawn))).filter((w): w is WorkerHandle => w !== undefined);
      try {
        return await body(pressureOf(memory, platform, active, chase));
      } finally {
        await stopTraffic(memory, active);
        await Promise.all(workers.map((worker) => worker.stop()));
        for (const block of active) clearBlock(memory, block);
      }
    },
    close: async () => {},
  };
}

function clearBlock(memory: WebAssembly.Memory, { at, area }: Block): void {
  new Int32Array(memory.buffer, at, 6).set([0, KINDS.read, 0, 0, area, AREA_BYTES]);
}

/** A page's worker goes on for seconds after it was ended (Chromium waits that long): so traffic is told to end by itself. */
async function stopTraffic(memory: WebAssembly.Memory, blocks: readonly Block[]): Promise<void> {
  const words = new Int32Array(memory.buffer);
  for (const { at } of blocks) Atomics.store(words, at / 4, STOP);
  for (let i = 0; i < STOP_TRIES && blocks.some(({ at }) => Atomics.load(words, at / 4) !== STOPPED); i++) {
    await new Promise((done) => setTimeout(done, STOP_TRY_MS));
  }
}

type Chase = ReturnType<typeof openChase>;

function pressureOf(memory: WebAssembly.Memory, { clock }: Platform, blocks: readonly Block[], chase: Chase): Pressure {
  const words = new Int32Array(memory.buffer);
  // Counters wrap at 2^32; differences of two readings do not mind.
  const steps = () => blocks.map(({ at }) => Atomics.load(words, at / 4 + 3));
  const since = (before: readonly number[]) =>
    steps().reduce((sum, now, i) => sum + ((now - (before[i] as number)) >>> 0), 0);
  return {
    set(kind, pause) {
      for (const { at } of blocks) {
        Atomics.store(words, at / 4 + 1, KINDS[kind]);
        Atomics.store(words, at / 4 + 2, pause);
      }
    },
    async stepsPerSecond() {
      const costs: number[] = [];
      for (let i = 0; i < WINDOWS; i++) {
        const before = steps();
        const from = clock.nowNs();
        await new Promise((done) => setTimeout(done, WINDOW_MS));
        costs.push((clock.nowNs() - from) / Math.max(1, since(before)));
      }
      return 1e9 / lowQuantile(costs);
    },
    async chasePieces() {
      const found: { ns: number; stepsPerSecond: number }[] = [];
      let before = steps();
      let from = clock.nowNs();
      chase.pieces(CHASE_BYTES, DRAM_SHAPE, LOADED_PIECES, (ns) => {
        const now = clock.nowNs();
        found.push({ ns, stepsPerSecond: (since(before) * 1e9) / (now - from) });
        before = steps();
        from = now;
      });
      return found;
    },
  };
}
