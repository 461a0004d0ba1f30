// The WebAssembly backend: kernels from assembly/kernels over one linear memory, on one thread or several.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Backend, Platform, WorkerHandle } from "../core/ports.js";
import { takeIn } from "./wasm/intake.js";
import { loadKernels, type WasmVariant } from "./wasm/kernels.js";
import { execute } from "./wasm/lower.js";
import { layOut, placeOf, rowsAt, type State } from "./wasm/state.js";
import { checkRelaxed, hostOf, noThreads } from "./wasm/support.js";
import { startThreads, withThreads } from "./wasm/threads.js";
import { uploadWeights } from "./wasm/upload.js";

export type { WasmVariant } from "./wasm/kernels.js";

export interface WasmOptions {
  readonly variant: WasmVariant;
  /** Threads that share the rows of large products, the coordinator included. */
  readonly threads: number;
}

export interface WasmBackend extends Backend {
  /** Why fewer threads run than were asked for; null when all do. */
  readonly threadsReason: string | null;
}

/**
 * Opens the backend. Where memory cannot be shared it runs on one thread and says why.
 * Throws UnavailableError when this engine cannot run the variant.
 */
export async function openWasm(platform: Platform, { variant, threads }: WasmOptions): Promise<WasmBackend> {
  const threadsReason = threads > 1 ? noThreads(platform, variant) : null;
  const count = threadsReason === null ? Math.max(1, threads) : 1;
  if (variant === "relaxed") await checkRelaxed(platform);
  const loaded = await loadKernels(platform, variant, count > 1);
  let state: State | null = null;
  let workers: readonly WorkerHandle[] = [];
  const ready = (): State => {
    if (!state) throw new UnavailableError("the WASM backend", "no tensors are allocated", "Call allocate first");
    return state;
  };
  return {
    target: { host: hostOf(platform), backend: "wasm", variant, threads: count },
    threadsReason,
    async allocate(specs) {
      state = layOut(loaded, specs, count);
      workers = await startThreads(platform, loaded, state.control, state.scratches);
    },
    async upload(id, data, row = 0) {
      uploadWeights(ready(), id, data, row);
    },
    load: (id, matrix) => takeIn(ready(), id, matrix),
    write(id, values, row = 0) {
      writeRows(ready(), id, values, row);
    },
    async submit(ops) {
      const current = ready();
      const outputs: (Float32Array | Int32Array)[] = [];
      withThreads(loaded.kernels, () => {
        for (const op of ops) {
          const result = execute(current, op);
          if (result) outputs.push(result);
        }
      });
      return { outputs };
    },
    residentBytes: () => loaded.memory.buffer.byteLength,
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      workers = [];
      state = null;
    },
  };
}

function writeRows(state: State, id: number, values: Float32Array, row: number): void {
  const { spec } = placeOf(state, id);
  if (spec.format !== "f32") {
    throw new InputError(spec.name, "write", `has format ${spec.format}`, "Only f32 tensors are written row by row");
  }
  const at = rowsAt(state, id, row, Math.ceil(values.length / spec.cols));
  new Float32Array(state.memory.buffer, at, values.length).set(values);
}
