// Runs what was noted: one command buffer, one queue submission, one mapping of what is read back.

import { UnavailableError } from "../../core/errors.js";
import { CPU_REMEDY } from "./adapter.js";
import { encode } from "./encode.js";
import { type Held, USAGE } from "./memory.js";
import { type Output, type Recording, type Store, startRecording } from "./record.js";
import { guarded } from "./shaders.js";

/** Two timestamps, where the device has them. */
export interface Stopwatch {
  readonly queries: GPUQuerySet;
  readonly resolved: GPUBuffer;
}

export function openStopwatch(device: GPUDevice): Stopwatch {
  const queries = device.createQuerySet({ type: "timestamp", count: 2 });
  return { queries, resolved: device.createBuffer({ size: 16, usage: USAGE.queryResolve | USAGE.copySrc }) };
}

export interface Submitted {
  readonly outputs: (Float32Array | Int32Array)[];
  /** Between the first pass's begin and the last one's end by the device's own clock; null without a stopwatch. */
  readonly gpuNs: number | null;
}

/**
 * @param note notes the work; kernels are made on the way
 * Throws UnavailableError when the device is lost, has no memory left or refuses the work, and what `note` throws.
 */
export async function run(
  store: Store,
  note: (recording: Recording) => void,
  watch: Stopwatch | null,
): Promise<Submitted> {
  const { device } = store;
  const recording = startRecording();
  // Timestamps follow the outputs, at a place that is a multiple of 8.
  let at = 0;
  const before = new Map(store.scratches);
  const readback = await guarded(device, "WebGPU submission", () => {
    note(recording);
    at = Math.ceil(recording.readbackBytes / 8) * 8;
    if (watch) recording.readbackBytes = at + 16;
    const { encoder, readback } = encode(store, recording, watch?.queries ?? null);
    if (watch) {
      encoder.resolveQuerySet(watch.queries, 0, 2, watch.resolved, 0);
      encoder.copyBufferToBuffer(watch.resolved, 0, readback.buffer, at, 16);
    }
    device.queue.submit([encoder.finish()]);
    return readback;
  }).catch((error: unknown) => {
    forgetSince(store, before);
    throw error;
  });
  const bytes = recording.readbackBytes;
  if (bytes === 0) {
    await device.queue.onSubmittedWorkDone();
    return { outputs: [], gpuNs: null };
  }
  try {
    await readback.buffer.mapAsync(1, 0, bytes);
  } catch (error) {
    const loss = await lossOf(device);
    if (loss !== null) throw lostDevice(loss);
    throw new UnavailableError("the GPU", `it gave nothing back (${(error as Error).message})`, CPU_REMEDY);
  }
  const mapped = readback.buffer.getMappedRange(0, bytes).slice(0);
  readback.buffer.unmap();
  return { outputs: recording.outputs.map((output) => viewOf(mapped, output)), gpuNs: watch ? nsOf(mapped, at) : null };
}

/** Buffers of work that was refused may be none: the next submission makes its own. */
function forgetSince({ scratches, heap }: Store, before: ReadonlyMap<string, Held>): void {
  for (const [name, held] of [...scratches]) {
    if (before.get(name) === held) continue;
    heap.release(held);
    scratches.delete(name);
  }
}

/** Long enough for a device to tell of its loss, which implementations do after they refused what waited for it. */
const LOSS_MS = 1000;

/** What a device says of its loss; null where it goes on. */
function lossOf({ lost }: GPUDevice): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LOSS_MS, null);
    lost.then(({ message, reason }) => {
      clearTimeout(timer);
      resolve(message || reason);
    });
  });
}

/** @param loss the device's own words */
export function lostDevice(loss: string): UnavailableError {
  return new UnavailableError("the GPU", `the device was lost (${loss})`, `Open it again. ${CPU_REMEDY}`);
}

function viewOf(mapped: ArrayBuffer, { at, length, as }: Output): Float32Array | Int32Array {
  const range = mapped.slice(at, at + length * 4);
  return as === "values" ? new Float32Array(range) : new Int32Array(range);
}

function nsOf(mapped: ArrayBuffer, at: number): number {
  const [begin = 0n, end = 0n] = new BigUint64Array(mapped, at, 2);
  return Number(end - begin);
}
