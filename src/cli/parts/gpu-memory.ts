// The own profile of this host's GPU. A software adapter has none: its memory and its kernels are the CPU's.

import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openWebgpu, type WebgpuBackend } from "../../backends/webgpu.js";
import { UnavailableError } from "../../core/errors.js";
import type { GpuProfile } from "../../core/host.js";
import type { Backend, Platform } from "../../core/ports.js";
import type { Target } from "../../core/target.js";
import { loadDefaultGpu } from "../../placement/topology.js";
import { probeGpu } from "../../run/gpu-probe.js";
import type { GpuMemory } from "../../run/parts.js";
import { measureRate } from "./rates.js";

/** Wide enough that a product takes longer than its dispatch, small enough for a GPU's cache. */
const RATE_WIDTH = 2048;

/** Measures the GPU that WebGPU gives. @param rateWidth of the square matrices that kernels are timed with */
export async function measureGpu(
  platform: Platform,
  maxBytes = Number.POSITIVE_INFINITY,
  rateWidth = RATE_WIDTH,
): Promise<GpuProfile> {
  const quantizer = await openQuantizer(platform);
  const backend = await openWebgpu(platform);
  let last: WebgpuBackend | null = null;
  const open = async (): Promise<Backend> => {
    last = await openWebgpu(platform);
    return last;
  };
  try {
    const { name, maxBindingBytes } = backend.adapter;
    return await probeGpu({
      adapter: name,
      probe: backend.probe,
      maxBytes: Math.min(maxBindingBytes, maxBytes),
      computeRate: (family, dispatchNs) => {
        const ownNs = () => last?.lastGpuNs() ?? null;
        return measureRate(family, open, quantizer, platform.clock, { width: rateWidth, dispatchNs, ownNs });
      },
      fallback: await loadDefaultGpu(platform),
    });
  } finally {
    await backend.close();
  }
}

const isGpu = ({ backend, variant }: Target): boolean => backend === "webgpu" && !variant.startsWith("software");

/**
 * What predictions for the GPU among these targets rest on; undefined where there is none, or it cannot be measured.
 * @param probe false: the frozen profile stands for this GPU
 */
export async function openGpuMemory(
  platform: Platform,
  targets: readonly Target[],
  probe = true,
): Promise<GpuMemory | undefined> {
  if (!targets.some(isGpu)) return undefined;
  const frozen = await loadDefaultGpu(platform);
  if (!probe) return { frozen, measured: { adapter: frozen.name, host: frozen, dispatchNs: 0 } };
  try {
    return { frozen, measured: await measureGpu(platform) };
  } catch (error) {
    // Its cases will say themselves why they could not run.
    if (error instanceof UnavailableError) return undefined;
    throw error;
  }
}
