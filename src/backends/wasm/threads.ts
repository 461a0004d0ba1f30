// Worker threads that serve the jobs of one kernels instance on a shared memory.

import type { Platform, WorkerHandle } from "../../core/ports.js";
import type { Loaded } from "./kernels.js";

/**
 * Starts one worker for each scratch area but the first, which is the coordinator's, and tells the coordinator's
 * instance its memory. `control` must be zeroed.
 */
export async function startThreads(
  platform: Platform,
  { kernels, module, memory }: Loaded,
  control: number,
  scratches: readonly number[],
): Promise<readonly WorkerHandle[]> {
  const [own, ...others] = scratches;
  const start = (scratch: number) =>
    platform.workers?.spawnWorker({ module, memory, entry: "serve", args: [control, scratch] });
  const workers = (await Promise.all(others.map(start))).filter((worker) => worker !== undefined);
  kernels.setUp(control, own, workers.length);
  return workers;
}
