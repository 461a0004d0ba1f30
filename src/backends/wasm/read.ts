// What plain WebAssembly reads from memory: linear streams on one thread or several, the roof that every kernel's GB/s is
// compared with.

import type { Platform } from "../../core/ports.js";
import { openArena } from "./arena.js";
import { type Loaded, loadKernels } from "./kernels.js";
import { knowsInstructions, noThreads } from "./support.js";
import { startThreads, withThreads } from "./threads.js";

export interface Reader {
  readonly loaded: Loaded;
  /** The buffer that is read; every byte was written, so that no page is the system's shared zero page. */
  readonly start: number;
  readonly bytes: number;
  /** Threads there are; fewer than asked for where memory cannot be shared. */
  readonly threads: number;
  /** ns and bytes of one pass over `bytes` bytes of the buffer `from` on, 1, 4 or 8 streams on each of `threads` threads (1 or all). */
  pass(
    streams: number,
    threads: number,
    bytes?: number,
    from?: number,
  ): { readonly ns: number; readonly bytes: number };
  close(): Promise<void>;
}

/** Opens a buffer of `bytes` bytes for one to `threads` threads. Throws InputError when there is no such memory. */
export async function openReader(platform: Platform, bytes: number, threads: number): Promise<Reader> {
  const variant = knowsInstructions("simd") ? "simd" : "scalar";
  const count = noThreads(platform, variant) === null ? threads : 1;
  const loaded = await loadKernels(platform, variant, count > 1);
  const { kernels, memory } = loaded;
  const arena = openArena(memory, kernels.heapBase() >>> 0, "read buffer");
  const control = arena.take(kernels.CONTROL_BYTES.value);
  const scratches = Array.from({ length: count }, () => arena.take(kernels.scratchBytes(0) >>> 0));
  const start = arena.take(bytes);
  arena.grow();
  new Uint8Array(memory.buffer, start, bytes).fill(1);
  const workers = await startThreads(platform, loaded, control, scratches);
  return {
    ...{ loaded, start, bytes, threads: count },
    pass(streams, used, part = bytes, from = 0) {
      kernels.setUp(control, scratches[0], used > 1 ? workers.length : 0);
      const before = platform.clock.nowNs();
      const read = withThreads(kernels, () => kernels.readBytes(start + from, part, streams)) >>> 0;
      return { ns: platform.clock.nowNs() - before, bytes: read };
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}
