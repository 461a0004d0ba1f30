// Which adapter this is, and a device on it with all the limits and features that the kernels can use.

import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";

/** Software adapters compute right and slowly: they are for correctness only, never for a figure. */
export type AdapterKind = "software" | "integrated" | "discrete" | "gpu";

export interface AdapterFacts {
  /** "gpu": a real one of which nothing tells whether it has memory of its own. */
  readonly kind: AdapterKind;
  /** As the implementation says it: vendor, architecture, device, description. */
  readonly name: string;
  readonly shaderF16: boolean;
  readonly subgroups: boolean;
  readonly dot4: boolean;
  readonly timestamps: boolean;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
}

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp|\bsoftware\b/i;
const DISCRETE = /nvidia|geforce|quadro|tesla|radeon (?:rx|pro|vii)|xe-(?:2-)?hpg|\barc\b/i;
const INTEGRATED =
  /intel|apple|\barm\b|mali|qualcomm|adreno|imagination|powervr|samsung|broadcom|radeon(?:\(tm\))? graphics|\bvega\b/i;

/** Recognised by the names that drivers give; WebGPU itself tells only whether an adapter is a fallback. */
export function kindOf(info: Pick<GPUAdapterInfo, "isFallbackAdapter">, name: string): AdapterKind {
  if (info.isFallbackAdapter || SOFTWARE.test(name)) return "software";
  if (DISCRETE.test(name)) return "discrete";
  return INTEGRATED.test(name) ? "integrated" : "gpu";
}

/** What the implementation tells; Firefox tells nothing. */
export function adapterName({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const told = new Set([vendor, architecture, device, description].filter((part) => part !== ""));
  return [...told].join(", ") || "no name told";
}

function factsOf(gpu: GPU, adapter: GPUAdapter): AdapterFacts {
  const { info, features, limits } = adapter;
  const name = adapterName(info);
  return {
    kind: kindOf(info, name),
    name,
    shaderF16: features.has("shader-f16"),
    subgroups: features.has("subgroups"),
    dot4: gpu.wgslLanguageFeatures?.has("packed_4x8_integer_dot_product") ?? false,
    timestamps: features.has("timestamp-query"),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
  };
}

async function findAdapter(platform: Platform): Promise<{ gpu: GPU; adapter: GPUAdapter }> {
  const gpu = (await platform.gpu?.()) as GPU | null | undefined;
  if (!gpu) {
    const remedy =
      "Use a browser with WebGPU, or in Node run `npm install webgpu@0.6.2` (132 MB; in a clone `node scripts/peers.mjs webgpu`)";
    throw new UnavailableError("WebGPU", "this host has none", remedy);
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  // Dawn's null backend, which some builds fall back to, takes everything and computes nothing.
  if (!adapter || adapter.info.architecture === "null-backend" || adapter.info.description === "null-backend") {
    const remedy =
      "Install the GPU's Vulkan driver; for a software adapter install Debian's chromium and libvulkan1 and set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json";
    throw new UnavailableError("WebGPU", "there is no adapter (no GPU, or no driver for it)", remedy);
  }
  return { gpu, adapter };
}

/** What the adapter is, without a device. Throws UnavailableError where there is none. */
export async function adapterFacts(platform: Platform): Promise<AdapterFacts> {
  const { gpu, adapter } = await findAdapter(platform);
  return factsOf(gpu, adapter);
}

/** Throws UnavailableError where there is no adapter, or it gives no device. */
export async function openDevice(platform: Platform): Promise<OpenDevice> {
  const { gpu, adapter } = await findAdapter(platform);
  const facts = factsOf(gpu, adapter);
  const wanted: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: wanted.filter((name) => adapter.features.has(name)),
      requiredLimits: {
        maxStorageBufferBindingSize: facts.maxBindingBytes,
        maxBufferSize: facts.maxBufferBytes,
      },
    });
    return { device, facts };
  } catch (error) {
    throw new UnavailableError("WebGPU", `${facts.name} gives no device (${(error as Error).message})`, CPU_REMEDY);
  }
}

export const CPU_REMEDY = "Run on the CPU, as with --target wasm-simd";
