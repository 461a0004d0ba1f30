// What a GPU's memory and its queue give: a plain read, a pointer chase, and dispatches that wait for each other. By the
// device's own clock where it has one, else from submission to answer.

import type { Clock, GpuProbe } from "../../core/ports.js";
import { type Held, USAGE } from "./memory.js";
import { dispatch, type Recording, readBack, type Store, scratchOf } from "./record.js";
import { guarded } from "./shaders.js";
import { run, type Stopwatch } from "./submission.js";

/** Vectors of 16 bytes that a workgroup of webgpu/read.wgsl reads. */
const READ_VECTORS = 4096;
/** Two lines of 64 bytes: no neighbour that was fetched along is met. */
const STRIDE_BYTES = 128;
/** Steps of a chase: with few, the rest of the submission is all that takes time. */
const STEPS = [1024, 17_408] as const;
const DISPATCHES = [16, 528] as const;
const ROUNDS = 3;

export interface ProbedDevice {
  readonly store: Store;
  readonly watch: Stopwatch | null;
  readonly clock: Clock;
  /** Bound where a kernel has nothing to read. */
  readonly nothing: Held;
}

export function openGpuProbe({ store, watch, clock, nothing }: ProbedDevice): GpuProbe {
  const timed = async (note: (recording: Recording) => void): Promise<number> => {
    const start = clock.nowNs();
    const { gpuNs } = await run(store, note, watch);
    return gpuNs || clock.nowNs() - start;
  };
  /** What one more unit takes, whatever a submission takes: the difference of a long and a short one, the least of each. */
  const slope = async ([few, many]: readonly [number, number], unitsNs: (units: number) => Promise<number>) => {
    let [short, long] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < ROUNDS; round++) {
      short = Math.min(short, await unitsNs(few));
      long = Math.min(long, await unitsNs(many));
    }
    // Where noise is larger than the units: at most what the long one took.
    return long > short ? (long - short) / (many - few) : long / many;
  };
  return {
    readNs(bytes) {
      const vectors = Math.floor(bytes / 16);
      const groups = Math.ceil(vectors / READ_VECTORS);
      return timed((recording) => {
        const area = scratchOf(store, "read", bytes);
        dispatch(store, recording, { parts: ["read"] }, [area, nothing], [vectors], groups);
      });
    },
    async chaseNs(bytes) {
      const lines = 2 ** Math.floor(Math.log2(bytes / STRIDE_BYTES));
      const take = () => scratchOf(store, `chase ${lines}`, lines * STRIDE_BYTES, USAGE.storage | USAGE.copySrc);
      const area = await guarded(store.device, "GPU memory", take);
      const params = [lines, STRIDE_BYTES / 4];
      const fill = { parts: ["chase"], entry: "fill" };
      await timed((recording) => dispatch(store, recording, fill, [area], [...params, 0], Math.ceil(lines / 64)));
      const chase = (steps: number) =>
        timed((recording) => {
          dispatch(store, recording, { parts: ["chase"] }, [area], [...params, steps], 1);
          readBack(recording, area, 4, 1, "values");
        });
      try {
        return await slope(STEPS, chase);
      } finally {
        store.scratches.delete(`chase ${lines}`);
        store.heap.release(area);
      }
    },
    dispatchNs() {
      const [a, b] = [scratchOf(store, "ping", 256), scratchOf(store, "pong", 256)];
      return slope(DISPATCHES, (count) =>
        timed((recording) => {
          for (let i = 0; i < count; i++) {
            const buffers = i % 2 === 0 ? [a, b] : [b, a];
            dispatch(store, recording, { parts: ["copy"] }, buffers, [64, 0, 0], 1);
          }
          readBack(recording, a, 0, 1, "values");
        }),
      );
    },
  };
}
