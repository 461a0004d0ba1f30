// A calibration of the machine behind a platform: memory of all threads, kernel rates of the fastest target. Node and pages
// run this same function.

import { openCalibrationMemory } from "../../backends/wasm/calibrate.js";
import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { wasmTargets } from "../../backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import type { Calibration } from "../../core/calibration.js";
import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { Environment } from "../../core/result.js";
import { loadDefaultHost } from "../../placement/topology.js";
import { calibrate } from "../../run/calibrate.js";
import type { Progress } from "../../run/parts.js";
import { fastestOf } from "../../run/targets.js";
import { measureRate } from "./rates.js";

/**
 * Measures the machine. Takes about ten seconds on a quiet one and blocks its thread: call it in a worker.
 * @param environment what the result says of machine and program
 * @throws UnavailableError when no target runs here
 */
export async function calibrateHost(
  platform: Platform,
  environment: Environment,
  progress: (progress: Progress) => void,
): Promise<Calibration> {
  const targets = await wasmTargets(platform);
  const target = fastestOf(targets.filter((status) => status.available).map((status) => status.target));
  if (!target) throw new UnavailableError("every target", "none can run here", "Use Node 20.19 or newer");
  const quantizer = await openQuantizer(platform);
  const open = () => openWasm(platform, { variant: target.variant as WasmVariant, threads: 1 });
  const memory = await openCalibrationMemory(platform, platform.cpuCount);
  try {
    return await calibrate({
      memory,
      host: target.host,
      computeRate: (family) => measureRate(family, open, quantizer, platform.clock),
      fallback: await loadDefaultHost(platform),
      environment,
      clock: platform.clock,
      startedAt: new Date().toISOString(),
      progress,
    });
  } finally {
    await memory.close();
  }
}
