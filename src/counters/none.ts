// The source `none`: time only. Measures epochs and the on-CPU time of threads; tells nothing of memory, so no delay follows.

import type { CountedEpoch } from "../core/counters.js";
import type { NativeAddon } from "../core/native.js";
import type { Clock, CounterSource } from "../core/ports.js";
import { openThreadTimes } from "../core/thread-times.js";

export function openNone(addon: NativeAddon, clock: Clock): CounterSource {
  return {
    name: "none",
    probe: async () => ({ available: true, detail: "time only", events: [] }),
    launch: null,
    async open(pid) {
      const threads = openThreadTimes(addon, pid, clock);
      let lastNs = clock.nowNs();
      const read = (): CountedEpoch[] => {
        const nowNs = clock.nowNs();
        const nativeNs = nowNs - lastNs;
        lastNs = nowNs;
        return [{ nativeNs, threads: threads.read(), counters: {}, regions: [], runningShare: 1, lost: 0 }];
      };
      return { read, finish: async () => read(), notes: [], close: () => {} };
    },
  };
}
