// The worker of the page that tests/hosts/threads-in-chromium.test.ts opens: kernels on a pool of Web Workers over one shared memory.
// It coordinates, as in the program: a page's own thread may not wait.

import { openReference } from "../../src/backends/reference.js";
import { openArena } from "../../src/backends/wasm/arena.js";
import { loadKernels, type WasmVariant } from "../../src/backends/wasm/kernels.js";
import { startThreads } from "../../src/backends/wasm/threads.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { openWasm } from "../../src/backends/wasm.js";
import type { Platform } from "../../src/core/ports.js";
import { browserPlatform } from "../../src/platform/browser.js";
import { type Difference, differences } from "../conformance/compare.js";
import { SUITE } from "../conformance/suite.js";

export interface ThreadsVerdict {
  readonly error: string | null;
  readonly variants: readonly {
    readonly variant: string;
    /** Threads that one job called together. */
    readonly met: number;
    /** Why fewer threads ran; null when all did. */
    readonly reason: string | null;
    readonly wrong: readonly Difference[];
  }[];
}

const THREADS = 3;

async function meeting(platform: Platform, variant: WasmVariant): Promise<number> {
  const loaded = await loadKernels(platform, variant, true);
  const { kernels, memory } = loaded;
  const arena = openArena(memory, kernels.heapBase() >>> 0, "threads");
  const control = arena.take(kernels.CONTROL_BYTES.value);
  const scratches = Array.from({ length: THREADS }, () => arena.take(kernels.scratchBytes(0) >>> 0));
  arena.grow();
  const workers = await startThreads(platform, loaded, control, scratches);
  try {
    return kernels.rendezvous(THREADS);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

async function judge(base: string): Promise<ThreadsVerdict> {
  const platform = browserPlatform(base);
  const threaded = (await wasmTargets(platform, THREADS)).filter(
    ({ target, available }) => available && target.threads > 1,
  );
  const variants: ThreadsVerdict["variants"][number][] = [];
  for (const { target } of threaded) {
    const variant = target.variant as WasmVariant;
    const met = await meeting(platform, variant);
    const backend = await openWasm(platform, { variant, threads: THREADS });
    const reason = backend.threadsReason;
    variants.push({ variant, met, reason, wrong: await differences(backend, await openReference(platform), SUITE) });
  }
  return { error: null, variants };
}

globalThis.onmessage = ({ data: base }: MessageEvent<string>) => {
  judge(base).then(
    (verdict) => postMessage(verdict),
    (error: Error) => postMessage({ error: error.stack ?? `${error}`, variants: [] }),
  );
};
