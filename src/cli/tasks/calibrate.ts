// `calibrate` inside the coordinator: memory of all threads, kernel rates of the fastest target.

import { openCalibrationMemory } from "../../backends/wasm/calibrate.js";
import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { loadDefaultHost } from "../../placement/topology.js";
import { calibrate } from "../../run/calibrate.js";
import type { Control } from "../../run/parts.js";
import { fastestOf } from "../../run/targets.js";
import { captureEnvironment } from "../parts/environment.js";
import { measureRate } from "../parts/rates.js";
import { openSubjects } from "../parts/subjects.js";
import type { FinalEvent } from "../protocol.js";

export async function calibrateWork(platform: Platform, control: Control): Promise<FinalEvent> {
  const environment = captureEnvironment();
  const subjects = await openSubjects(platform, 0);
  const targets = await subjects.targets();
  const target = fastestOf(targets.filter((status) => status.available).map((status) => status.target));
  if (!target) throw new UnavailableError("every target", "none can run here", "Use Node 20.19 or newer");
  const quantizer = await openQuantizer(platform);
  const open = () => openWasm(platform, { variant: target.variant as WasmVariant, threads: 1 });
  const memory = await openCalibrationMemory(platform, platform.cpuCount);
  try {
    const calibration = await calibrate({
      memory,
      computeRate: (family) => measureRate(family, open, quantizer, platform.clock),
      fallback: await loadDefaultHost(platform),
      environment,
      clock: platform.clock,
      startedAt: new Date().toISOString(),
      progress: control.progress,
    });
    return { kind: "calibrated", calibration };
  } finally {
    await memory.close();
    await subjects.close();
  }
}
