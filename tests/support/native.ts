// The addon for tests that need it: there, or skipped with the reason (under CI=true absence fails).

import { UnavailableError } from "../../src/core/errors.js";
import type { NativeAddon } from "../../src/core/native.js";
import { loadNative } from "../../src/platform/native.js";
import { need } from "./need.js";

/** null: `skipped: ...` was printed. */
export function needNative(): NativeAddon | null {
  try {
    return loadNative();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    need(false, `the native addon (${error.reason})`, error.remedy);
    return null;
  }
}

/** Page faults of a thread, its children included: the event that every kernel counts. */
export const FAULTS = { type: 1n, config: 2n } as const;

/** Whether this kernel lets us count our own page faults; prints `skipped: ...` where it does not. */
export function needEvents(addon: NativeAddon): boolean {
  const errors = new Int32Array(1);
  const set = new addon.CounterSet(new BigUint64Array([FAULTS.type, 1n, FAULTS.config, 0n, 0n]));
  set.attach(process.pid, -1, errors);
  set.close();
  if (errors[0] === 0) return true;
  console.log(`skipped: perf_event_open is forbidden here (errno ${errors[0]}); see nibblemark doctor`);
  return false;
}
