// Worker threads that serve the jobs of one kernels instance on a shared memory.

import { UnavailableError } from "../../core/errors.js";
import type { Platform, WorkerHandle } from "../../core/ports.js";
import type { Kernels, Loaded } from "./kernels.js";

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
    platform.workers?.spawnWorker({ module, memory, entry: "serve", args: [control, scratch], onTrap: "abandon" });
  const workers = (await Promise.all(others.map(start))).filter((worker) => worker !== undefined);
  kernels.setUp(control, own, workers.length);
  return workers;
}

/** Runs kernels. Throws UnavailableError when they trapped because a worker had trapped or vanished inside a job. */
export function withThreads<T>(kernels: Kernels, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const failure = kernels.hasFailed();
    if (!failure) throw error;
    const what = failure === 1 ? "has failed inside a kernel" : "has ended inside a kernel and no longer answers";
    const remedy = "Run again, or on one thread: --threads 1";
    throw new UnavailableError("this WASM instance", `one of its worker threads ${what}`, remedy);
  }
}
