// Records what passes between a session and its backend: every submitted op list with its wall time.

import type { Phase } from "../core/epoch.js";
import type { Op } from "../core/op.js";
import type { Clock } from "../core/ports.js";
import type { EpochHook } from "./parts.js";

export interface RecordedEpoch {
  readonly phase: Phase;
  readonly ops: readonly Op[];
  readonly nativeNs: number;
}

export interface Recorder {
  readonly hook: EpochHook;
  /** The epochs since the last call. */
  take(): RecordedEpoch[];
}

/** Times each epoch with the given clock. `afterEpoch` runs inside the iteration but outside the epoch's own time. */
export function epochRecorder(clock: Clock, afterEpoch: (index: number) => void = () => {}): Recorder {
  let epochs: RecordedEpoch[] = [];
  return {
    async hook({ phase, ops }, submit) {
      const start = clock.nowNs();
      const result = await submit();
      epochs.push({ phase, ops, nativeNs: clock.nowNs() - start });
      afterEpoch(epochs.length - 1);
      return result;
    },
    take() {
      const taken = epochs;
      epochs = [];
      return taken;
    },
  };
}

/** Waits actively until `ns` have passed: how --spin makes an epoch really slower. */
export function spin(clock: Clock, ns: number): void {
  const end = clock.nowNs() + ns;
  while (clock.nowNs() < end);
}
