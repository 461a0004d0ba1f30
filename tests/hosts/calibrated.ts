// What a calibration in Chromium must have found, whatever the machine.

import * as assert from "uvu/assert";
import type { Calibration } from "../../src/core/calibration.js";

export const MOST_CALIBRATION_S = 60;

export function checkMachine({ profile, chase, levels }: Calibration): void {
  assert.match(profile.name, /chromium/);
  assert.ok((chase[0]?.nearNs ?? 0) > 0.2, "a load from the first cache takes time, however coarse the clock");
  assert.ok(profile.idleNs > 5 * (chase[0]?.nearNs ?? 0), "memory is further away than the first cache");
  assert.ok(levels.length > 1);
  assert.ok(Object.values(profile.computeRates).every((rate) => Number.isFinite(rate) && rate > 0));
}
