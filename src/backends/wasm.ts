// The WebAssembly backend: kernels from assembly/kernels over one linear memory, on one thread or several.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Op } from "../core/op.js";
import type { Backend, Platform, WorkerHandle } from "../core/ports.js";
import { type PlanCache, stepsOf } from "./wasm/fuse.js";
import { takeIn } from "./wasm/intake.js";
import { loadKernels, type WasmVariant } from "./wasm/kernels.js";
import { execute } from "./wasm/lower.js";
import { productsTogether, type Source } from "./wasm/product.js";
import { layOut, placeOf, rowsAt, type State } from "./wasm/state.js";
import { checkRelaxed, hostOf, noThreads } from "./wasm/support.js";
import { startThreads, withThreads } from "./wasm/threads.js";
import { uploadWeights } from "./wasm/upload.js";

export type { WasmVariant } from "./wasm/kernels.js";

export interface WasmOptions {
  readonly variant: WasmVariant;
  /** Threads that share the rows of large products, the coordinator included. */
  readonly threads: number;
  /** Whether neighbouring ops run as one job where they can (default); the bits are the same. */
  readonly fused?: boolean;
}

export interface WasmBackend extends Backend {
  /** Why fewer threads run than were asked for; null when all do. */
  readonly threadsReason: string | null;
}

/**
 * Opens the backend. Where memory cannot be shared it runs on one thread and says why.
 * Throws UnavailableError when this engine cannot run the variant.
 */
export async function openWasm(
  platform: Platform,
  { variant, threads, fused = true }: WasmOptions,
): Promise<WasmBackend> {
  const threadsReason = threads > 1 ? noThreads(platform, variant) : null;
  const count = threadsReason === null ? Math.max(1, threads) : 1;
  if (variant === "relaxed") await checkRelaxed(platform);
  const loaded = await loadKernels(platform, variant, count > 1);
  let state: State | null = null;
  let workers: readonly WorkerHandle[] = [];
  const plans: PlanCache = [];
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
      plans.length = 0;
      uploadWeights(ready(), id, data, row);
    },
    load(id, matrix) {
      plans.length = 0;
      return takeIn(ready(), id, matrix);
    },
    write(id, values, row = 0) {
      writeRows(ready(), id, values, row);
    },
    async submit(ops) {
      const current = ready();
      return withThreads(loaded.kernels, () => (fused ? runSteps(current, plans, ops) : runOps(current, ops)));
    },
    residentBytes: () => loaded.memory.buffer.byteLength,
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      workers = [];
      state = null;
    },
  };
}

type Outputs = (Float32Array | Int32Array)[];

function runSteps(state: State, plans: PlanCache, ops: readonly Op[]): { outputs: Outputs } {
  const outputs: Outputs = [];
  for (const { first, source, products } of stepsOf(state, plans, ops)) {
    if (products > 0) {
      productsTogether(state, ops, source ? first + 1 : first, products, source ? (ops[first] as Source) : null);
      continue;
    }
    const result = execute(state, ops[first]);
    if (result) outputs.push(result);
  }
  return { outputs };
}

/** The slow twin: op after op. */
function runOps(state: State, ops: readonly Op[]): { outputs: Outputs } {
  const outputs: Outputs = [];
  for (const op of ops) {
    const result = execute(state, op);
    if (result) outputs.push(result);
  }
  return { outputs };
}

function writeRows(state: State, id: number, values: Float32Array, row: number): void {
  const { spec } = placeOf(state, id);
  if (spec.format !== "f32") {
    throw new InputError(spec.name, "write", `has format ${spec.format}`, "Only f32 tensors are written row by row");
  }
  const at = rowsAt(state, id, row, Math.ceil(values.length / spec.cols));
  new Float32Array(state.memory.buffer, at, values.length).set(values);
}
