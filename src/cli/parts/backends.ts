// The concrete backend of a target.

import { wasmTargets } from "../../backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import { webgpuTargets } from "../../backends/webgpu/variants.js";
import { openWebgpu } from "../../backends/webgpu.js";
import type { Backend, Platform } from "../../core/ports.js";
import type { Target, TargetStatus } from "../../core/target.js";

/** Every target of this host, and why those that cannot run do not. */
export async function allTargets(platform: Platform, threads: number): Promise<TargetStatus[]> {
  return [...(await wasmTargets(platform, threads)), ...(await webgpuTargets(platform))];
}

/** Throws UnavailableError when the target does not run here. */
export function openTarget(platform: Platform, { backend, variant, threads }: Target): Promise<Backend> {
  if (backend === "webgpu") return openWebgpu(platform, { f16: variant.endsWith("-f16") });
  return openWasm(platform, { variant: variant as WasmVariant, threads });
}
