// Which WASM targets run here, in rising order of speed, and why the others do not.

import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { TargetStatus } from "../../core/target.js";
import type { WasmVariant } from "./kernels.js";
import { checkRelaxed, hostOf, knowsInstructions, noThreads } from "./support.js";

const DETAILS: Readonly<Record<WasmVariant, string>> = {
  scalar: "no vector instructions, no imports",
  simd: "128-bit SIMD",
  relaxed: "relaxed SIMD, self-test passed",
};

/** All WASM targets of this machine: each variant on one thread, and the fast ones on `threads` threads. */
export async function wasmTargets(platform: Platform, threads: number = platform.cpuCount): Promise<TargetStatus[]> {
  const statuses: TargetStatus[] = [];
  for (const variant of ["scalar", "simd", "relaxed"] as const) {
    const fault = await faultOf(platform, variant);
    statuses.push(statusOf(platform, variant, 1, fault));
    if (variant === "scalar" || threads < 2) continue;
    const reason = noThreads(platform, variant);
    statuses.push(
      statusOf(platform, variant, threads, fault ?? (reason === null ? null : { reason, remedy: "Use one thread" })),
    );
  }
  return statuses;
}

type Fault = { readonly reason: string; readonly remedy: string } | null;

async function faultOf(platform: Platform, variant: WasmVariant): Promise<Fault> {
  if (!knowsInstructions(variant) && variant === "simd") {
    return { reason: "this engine does not know WebAssembly SIMD", remedy: "Use a newer engine" };
  }
  try {
    if (variant === "relaxed") await checkRelaxed(platform);
    return null;
  } catch (error) {
    if (error instanceof UnavailableError) return { reason: error.reason, remedy: error.remedy };
    throw error;
  }
}

function statusOf(platform: Platform, variant: WasmVariant, threads: number, fault: Fault): TargetStatus {
  const target = { host: hostOf(platform), backend: "wasm", variant, threads } as const;
  if (fault) return { target, available: false, ...fault };
  return { target, available: true, detail: DETAILS[variant] };
}
