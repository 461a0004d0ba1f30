// The WebGPU backend: kernels of webgpu/ on the device of this host. The whole forward pass stays on the GPU; one submitted
// op list is one command buffer.

import { InputError, UnavailableError } from "../core/errors.js";
import type { TensorSpec } from "../core/op.js";
import type { Backend, GpuProbe, Platform } from "../core/ports.js";
import { type AdapterFacts, openDevice } from "./webgpu/adapter.js";
import { lower } from "./webgpu/lower.js";
import type { Choice, Lowering } from "./webgpu/matmul.js";
import { openHeap, placeTensor, type Tensor, tensorOf } from "./webgpu/memory.js";
import { openGpuProbe } from "./webgpu/probe.js";
import { type Recording, type Store, startRecording } from "./webgpu/record.js";
import { guarded, loadShaders, openKernels, type Shaders } from "./webgpu/shaders.js";
import { lostDevice, openStopwatch, run } from "./webgpu/submission.js";
import { FIRST_CHOICE, type Tuning, tune, tuningKey, untuned } from "./webgpu/tune.js";
import { keepTuning, keptTuning, tuningName } from "./webgpu/tuning-cache.js";
import { uploadWeights, writeRows } from "./webgpu/upload.js";
import { hostOf } from "./webgpu/variants.js";

export { type AdapterFacts, type AdapterKind, adapterFacts } from "./webgpu/adapter.js";
export type { Choice } from "./webgpu/matmul.js";
export type { Tuning } from "./webgpu/tune.js";

export interface WebgpuOptions {
  /** Products of int4 weights in f16 where the device has shader-f16: faster, and less exact. */
  readonly f16?: boolean;
  /** Kernel variants to use, before those that the platform keeps; what is missing is tried when it is first needed. */
  readonly tuning?: Tuning;
  /** Tries variants on a software adapter too, where their times say nothing. */
  readonly tuneAlways?: boolean;
  /** A variant to use for everything, untried. */
  readonly choice?: Choice;
  /** Weights are cut into bindings of at most so many bytes; the device's own limit where that is less. */
  readonly maxBindingBytes?: number;
  /** Workgroups in one dimension of a dispatch, at most the device's 65,535. */
  readonly maxGroups?: number;
  /** false: as if the implementation had no packed dot product. */
  readonly dot4?: boolean;
}

export interface WebgpuBackend extends Backend {
  readonly adapter: AdapterFacts;
  /** Variants in use so far; the platform keeps them for the next time. */
  readonly tuning: Tuning;
  /** ns on the GPU of the last submission by the device's own clock; null where it has none. */
  lastGpuNs(): number | null;
  /** What this GPU's memory and queue give. */
  readonly probe: GpuProbe;
  /** The device, for tests that lose it. */
  readonly device: GPUDevice;
}

interface Opened extends Lowering {
  readonly tensors: Tensor[];
}

function openState(device: GPUDevice, facts: AdapterFacts, shaders: Shaders, options: WebgpuOptions, tuning: Tuning) {
  const heap = openHeap(device);
  const { maxComputeWorkgroupsPerDimension, maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const store: Store = {
    ...{ device, heap, kernels: openKernels(device, shaders), scratches: new Map(), bindGroups: new Map() },
    maxGroups: Math.min(options.maxGroups ?? maxComputeWorkgroupsPerDimension, maxComputeWorkgroupsPerDimension),
    maxBinding: Math.min(options.maxBindingBytes ?? maxBufferSize, maxStorageBufferBindingSize, maxBufferSize),
  };
  const opened: Opened = {
    store,
    recording: startRecording(),
    tensors: [],
    abilities: { dot4: facts.dot4 && options.dot4 !== false, f16: options.f16 ?? false },
    choiceOf: (weight, activations) => options.choice ?? tuning[tuningKey(facts, weight, activations)] ?? FIRST_CHOICE,
    nothing: heap.take(16, "nothing"),
  };
  return opened;
}

/** Throws InputError when the tensors do not fit. */
async function allocate({ store, tensors }: Opened, specs: readonly TensorSpec[]): Promise<void> {
  const { device, heap, maxBinding } = store;
  const first = tensors.length;
  const place = () => {
    for (const spec of specs) tensors.push(placeTensor(heap, spec, spec.offset ?? "none8", maxBinding));
  };
  try {
    await guarded(device, "GPU memory", place);
  } catch (error) {
    const needed = heap.bytes();
    for (const { chunks } of tensors.splice(first)) for (const { held } of chunks) heap.release(held);
    if (!(error instanceof UnavailableError)) throw error;
    const remedy = "Use a smaller model, a shorter context or fewer bits, or run on the CPU";
    throw new InputError("the model", "memory", `${needed} bytes do not fit: ${error.reason}`, remedy);
  }
}

/** Opens the backend. Throws UnavailableError where there is no adapter, device or what the options ask for. */
export async function openWebgpu(platform: Platform, options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const shaders = await loadShaders(platform);
  const { device, facts } = await openDevice(platform);
  if (options.f16 && !facts.shaderF16) {
    device.destroy();
    throw new UnavailableError("WebGPU in f16", `${facts.name} has no shader-f16`, "Use the target without f16");
  }
  const name = tuningName(platform, facts, shaders, options.f16 ?? false);
  const tuning: Tuning = { ...(await keptTuning(platform, name)), ...options.tuning };
  const opened = openState(device, facts, shaders, options, tuning);
  const { store } = opened;
  const watch = facts.timestamps ? openStopwatch(device) : null;
  let lost: string | null = null;
  let lastGpuNs: number | null = null;
  device.lost.then(({ message, reason }) => {
    lost = message || reason;
  });
  const alive = (): void => {
    if (lost !== null) throw lostDevice(lost);
  };
  const suffix = options.f16 ? "-f16" : "";
  return {
    target: { host: hostOf(platform), backend: "webgpu", variant: `${facts.kind}${suffix}`, threads: 1 },
    adapter: facts,
    tuning,
    device,
    probe: openGpuProbe({ store, watch, clock: platform.clock, nothing: opened.nothing }),
    async allocate(specs) {
      alive();
      await allocate(opened, specs);
    },
    async upload(id, data, row = 0) {
      alive();
      uploadWeights(device, store.heap, tensorOf(opened.tensors, id), data, row, store.maxBinding);
    },
    write(id, values, row = 0) {
      writeRows(device, tensorOf(opened.tensors, id), values, row);
    },
    async submit(ops) {
      alive();
      if ((facts.kind !== "software" || options.tuneAlways) && !options.choice) {
        const unknown = untuned(opened.tensors, ops, facts, tuning);
        for (const what of unknown) tuning[what.key] = await tune(opened, what, platform.clock, facts);
        if (unknown.length > 0) await keepTuning(platform, name, tuning);
      }
      const note = (recording: Recording): void => {
        for (const op of ops) lower({ ...opened, recording }, op);
      };
      const { outputs, gpuNs } = await run(store, note, watch).catch((error: unknown) => {
        alive();
        throw error;
      });
      lastGpuNs = gpuNs;
      return { outputs };
    },
    residentBytes: () => store.heap.bytes(),
    lastGpuNs: () => lastGpuNs,
    async close() {
      opened.tensors.length = 0;
      device.destroy();
    },
  };
}
