// Kernels from the texts of webgpu/: a kernel is a list of parts, constants and an entry point. Bindings are read from the
// text: group 0 holds the sizes (one uniform with a moving offset), group 1 the buffers.

import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { CPU_REMEDY } from "./adapter.js";

/** A kernel as data. */
export interface KernelSpec {
  /** Names in webgpu/ without .wgsl, in any order: WGSL lets names be used before they are declared. */
  readonly parts: readonly string[];
  readonly entry?: string;
  /** Whole numbers, declared as u32 before the parts. */
  readonly consts?: Readonly<Record<string, number>>;
  readonly enable?: readonly ("subgroups" | "f16")[];
}

export interface Kernel {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly buffers: GPUBindGroupLayout;
  /** Of each binding of group 1: whether the kernel writes it. */
  readonly writes: readonly boolean[];
}

/** Bytes of the sizes of a dispatch, the longest Params rounded up. */
export const PARAMS_BYTES = 64;

export type Shaders = Readonly<Record<string, string>>;

/** Texts of webgpu/, gathered by the build. */
export async function loadShaders(platform: Platform): Promise<Shaders> {
  return JSON.parse(await platform.readText(platform.packagePath("build/webgpu.json")));
}

/** The whole text of a kernel. */
export function textOf(shaders: Shaders, { parts, consts = {}, enable = [] }: KernelSpec): string {
  const directives = enable.map((name) => `enable ${name};\n`);
  const constants = Object.entries(consts).map(([name, value]) => `const ${name} = ${value}u;\n`);
  const texts = [...parts, "grid"].map((name) => {
    const text = shaders[name];
    if (text === undefined)
      throw new UnavailableError(`webgpu/${name}.wgsl`, "it was not built", "Run `npm run build`");
    return text;
  });
  return [...directives, ...constants, ...texts].join("");
}

/** Whether each binding of group 1 is written, by its number. */
export function writesOf(text: string): boolean[] {
  const writes: boolean[] = [];
  for (const [, binding, access] of text.matchAll(/@group\(1\) @binding\((\d+)\) var<storage, (read|read_write)>/g)) {
    writes[Number(binding)] = access === "read_write";
  }
  return writes;
}

export interface KernelStore {
  /** The kernel of a spec, compiled once. */
  get(spec: KernelSpec): Kernel;
  readonly params: GPUBindGroupLayout;
}

export function openKernels(device: GPUDevice, shaders: Shaders): KernelStore {
  const visibility = 4; // GPUShaderStage.COMPUTE
  const uniform = { type: "uniform", hasDynamicOffset: true, minBindingSize: PARAMS_BYTES } as const;
  const params = device.createBindGroupLayout({ entries: [{ binding: 0, visibility, buffer: uniform }] });
  const kernels = new Map<string, Kernel>();
  const make = (spec: KernelSpec): Kernel => {
    const code = textOf(shaders, spec);
    const writes = writesOf(code);
    const entries = writes.map((written, binding) => {
      return { binding, visibility, buffer: { type: written ? "storage" : "read-only-storage" } } as const;
    });
    const buffers = device.createBindGroupLayout({ entries });
    const layout = device.createPipelineLayout({ bindGroupLayouts: [params, buffers] });
    const label = spec.parts.join(" ");
    const module = device.createShaderModule({ code, label });
    const compute = { module, entryPoint: spec.entry ?? "main" };
    return { id: kernels.size, pipeline: device.createComputePipeline({ label, layout, compute }), buffers, writes };
  };
  return {
    params,
    get(spec) {
      const key = JSON.stringify(spec);
      const kernel = kernels.get(key) ?? make(spec);
      kernels.set(key, kernel);
      return kernel;
    },
  };
}

/** Runs GPU work and turns what the device says against it into typed errors. */
export async function guarded<T>(device: GPUDevice, what: string, work: () => T): Promise<T> {
  device.pushErrorScope("internal");
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const faults = () => Promise.all([device.popErrorScope(), device.popErrorScope(), device.popErrorScope()]);
  let result: T;
  try {
    result = work();
  } catch (error) {
    await faults().catch(() => {});
    throw error;
  }
  // A device that is lost has no scopes any more; who waits for its results hears of it.
  const [invalid, full, internal] = await faults().catch(() => []);
  if (full) throw new UnavailableError(what, `the GPU has no memory left (${full.message})`, CPU_REMEDY);
  const fault = invalid ?? internal;
  if (fault) throw new UnavailableError(what, `the device refused it (${fault.message})`, CPU_REMEDY);
  return result;
}
