// What is not plausible in a measured host profile: on a busy machine even the best of many short pieces may be wrong,
// and then predicted figures are too.

import type { HostProfile } from "../core/host.js";
import { LINE_BYTES, MIB } from "../core/units.js";

/** Idle reads of DRAM from local sockets lie between 60 and 150 ns in the published measurements of DDR4 and DDR5 servers and PCs. */
const IDLE_NS: readonly [number, number] = [50, 200];
/** A current core reads at least this alone; the slowest laptops of the last ten years do. */
const CORE_GBPS = 5;
/** Below this a last-level cache is smaller than what a current core has for itself. */
const CACHE_BYTES = 4 * MIB;

/** One sentence for each implausible figure of a measured profile; none for a shipped one. */
export function hostDoubts({ source, idleNs, llcBytes, linesInFlight }: HostProfile): string[] {
  if (source !== "measured") return [];
  const coreGBps = (linesInFlight.stream * LINE_BYTES) / idleNs;
  const doubts: string[] = [];
  if (idleNs < IDLE_NS[0] || idleNs > IDLE_NS[1]) {
    doubts.push(`idle latency ${idleNs.toFixed(0)} ns (${IDLE_NS[0]} to ${IDLE_NS[1]} is usual)`);
  }
  if (coreGBps < CORE_GBPS) doubts.push(`one core reads ${coreGBps.toFixed(1)} GB/s (${CORE_GBPS} or more is usual)`);
  if (llcBytes < CACHE_BYTES) {
    doubts.push(`a cache of ${(llcBytes / MIB).toFixed(0)} MiB (${CACHE_BYTES / MIB} MiB or more is usual)`);
  }
  return doubts;
}
