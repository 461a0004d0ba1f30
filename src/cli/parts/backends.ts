// The concrete backend of a target.

import { wasmTargets } from "../../backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import { webgpuTargets } from "../../backends/webgpu/variants.js";
import { openWebgpu } from "../../backends/webgpu.js";
import type { Backend, Platform } from "../../core/ports.js";
import type { Workload } from "../../core/scenario.js";
import type { Target, TargetStatus } from "../../core/target.js";
import { sufficeFor } from "../../run/targets.js";

/**
 * Every target of this host that the names may mean, and why those that cannot run do not. A GPU is looked for only where one may be
 * meant: its driver takes a second to start and may write on stderr.
 */
export async function targetsFor(
  platform: Platform,
  threads: number,
  wanted: Workload["targets"],
): Promise<TargetStatus[]> {
  const cpu = await wasmTargets(platform, threads);
  return sufficeFor(wanted, cpu) ? cpu : [...cpu, ...(await webgpuTargets(platform))];
}

export const allTargets = (platform: Platform, threads: number): Promise<TargetStatus[]> =>
  targetsFor(platform, threads, "all");

/** Throws UnavailableError when the target does not run here. */
export function openTarget(platform: Platform, { backend, variant, threads }: Target): Promise<Backend> {
  if (backend === "webgpu") return openWebgpu(platform, { f16: variant.endsWith("-f16") });
  return openWasm(platform, { variant: variant as WasmVariant, threads });
}
