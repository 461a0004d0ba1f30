// `calibrate` inside a coordinator, of Node or of a page.

import type { Platform } from "../../core/ports.js";
import type { Control } from "../../run/parts.js";
import { calibrateHost } from "../parts/calibrate-host.js";
import type { CalibrateRequest, FinalEvent } from "../protocol.js";

export async function calibrateWork(
  platform: Platform,
  { environment }: CalibrateRequest,
  { progress }: Control,
): Promise<FinalEvent> {
  return { kind: "calibrated", calibration: await calibrateHost(platform, environment, progress) };
}
