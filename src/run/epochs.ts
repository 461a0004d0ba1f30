// Records what passes between a session and its backend: every submitted op list with its wall time.

import type { Phase } from "../core/epoch.js";
import type { Op } from "../core/op.js";
import type { Clock } from "../core/ports.js";
import type { EpochCounters, EpochHook } from "./parts.js";

export interface RecordedEpoch {
  readonly phase: Phase;
  readonly ops: readonly Op[];
  readonly nativeNs: number;
  /** Events of the epoch by name; empty where nothing is counted. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface Recorder {
  readonly hook: EpochHook;
  /** Whether the hook still keeps the op lists it sees: a session that is told no moves one list from token to token. */
  keepsOps(): boolean;
  /** The epochs since the last call. */
  take(): RecordedEpoch[];
  /** From now on every take is a repetition of `epochs`, whose op lists it has then; the first such call counts. */
  repeat(epochs: readonly RecordedEpoch[]): void;
}

/** Times each epoch with the given clock. `afterEpoch` runs inside the iteration but outside the epoch's own time. */
export function epochRecorder(
  clock: Clock,
  afterEpoch: (index: number) => void = () => {},
  counted?: EpochCounters,
): Recorder {
  let epochs: RecordedEpoch[] = [];
  let lists: readonly (readonly Op[])[] | null = null;
  return {
    async hook({ phase, ops: seen }, submit) {
      const ops = lists?.[epochs.length] ?? seen;
      counted?.read();
      const start = clock.nowNs();
      const result = await submit();
      const nativeNs = clock.nowNs() - start;
      epochs.push({ phase, ops, nativeNs, counters: counted?.read() ?? {} });
      afterEpoch(epochs.length - 1);
      return result;
    },
    keepsOps: () => lists === null,
    repeat(repeated) {
      lists ??= repeated.map(({ ops }) => ops);
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
