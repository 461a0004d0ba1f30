// CXLMemSim's HEAD and v1 as delay models over an epoch's counters and lines: which counter stands for which of its quantities.
// The formulas are in assembly/epoch/cxlmemsim.ts, their defects in docs/delay-models.md.

import type { HostProfile } from "../core/host.js";
import type { FarPool, Topology } from "../core/topology.js";
import type { TraceEpoch, TraceTraffic } from "../core/trace.js";
import { LINE_BYTES } from "../core/units.js";

/** Exports of build/epoch.wasm. */
export interface CxlMemSimExports {
  headRobNs(
    readNs: number,
    writeNs: number,
    dramNs: number,
    instructions: number,
    missRatio: number,
    remote: number,
  ): number;
  headBandwidthNs(
    lines: number,
    windowNs: number,
    readShare: number,
    readGBps: number,
    writeGBps: number,
    knee: number,
    readNs: number,
    writeNs: number,
  ): number;
  headWriteBack(
    stalls: number,
    weight: number,
    backs: number,
    misses: number,
    allMisses: number,
    prefetches: number,
    hits: number,
  ): number;
  headDelayNs(latency: number, bandwidth: number, writeBack: number): number;
  v1Accesses(
    stalls: number,
    mhz: number,
    weight: number,
    kind: number,
    misses: number,
    hits: number,
    dramNs: number,
  ): number;
  v1WriteBacks(backs: number, misses: number, reads: number): number;
  v1Bandwidth(lines: number, epochMs: number, lastMs: number, limitMBps: number): number;
}

/** Defaults of its options: LBR period, mean of `-v`, knee, `-w` of v1, `-f`. */
const LBR_PERIOD = 1000;
const MEAN_WEIGHT = 11400 / 7;
const KNEE = 0.8;
const V1_WEIGHT = 4.1;
const V1_MHZ = 4000;
/** The reorder buffer's entries, which stand for the instructions of a sample. */
const SAMPLE_INSTRUCTIONS = 512;

interface Endpoint {
  readonly pool: FarPool;
  readonly readNs: number;
  readonly writeNs: number;
  readonly read: number;
  readonly written: number;
}

function endpointsOf(topology: Topology, host: HostProfile, pools: readonly TraceTraffic[]): Endpoint[] {
  return topology.pools.flatMap((pool, i) => {
    const traffic = pools[i];
    if (pool.kind !== "far" || !traffic) return [];
    const read = traffic.chaseLines + traffic.demandLines + traffic.streamedBytes / LINE_BYTES;
    const written = traffic.writtenBytes / LINE_BYTES;
    const readNs = host.idleNs + pool.readAdderNs;
    return [{ pool, readNs, writeNs: host.idleNs + pool.writeAdderNs, read, written }];
  });
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** HEAD's delay of an epoch, ns: 0 or, from 1 ns of computed latency on, exactly 1 ms. */
export function headDelayNs(
  sim: CxlMemSimExports,
  topology: Topology,
  host: HostProfile,
  epoch: TraceEpoch,
  pools: readonly TraceTraffic[],
): number {
  const endpoints = endpointsOf(topology, host, pools);
  const all = sum(endpoints.map(({ read, written }) => read + written));
  const { llcMisses = sum(endpoints.map(({ read }) => read)), instructions = 0, stallCycles = 0 } = epoch.counters;
  const { llcHits = 0, prefetches = 0 } = epoch.counters;
  const missRatio = instructions > 0 ? llcMisses / instructions : 0;
  // its endpoint test is inverted: an endpoint's latency is the mean over accesses that are not on it
  const seen = endpoints.filter(({ read, written }) => all - read - written > 0);
  const robNs = sum(
    seen.map((e) => sim.headRobNs(e.readNs, e.writeNs, host.idleNs, SAMPLE_INSTRUCTIONS, missRatio, 1)),
  );
  const latency = Math.floor(llcMisses / LBR_PERIOD) * robNs;
  const bandwidth = sum(
    endpoints.map(({ pool, read, written, readNs, writeNs }) => {
      const lines = read + written;
      const share = lines > 0 ? read / lines : 1;
      return sim.headBandwidthNs(lines, epoch.nativeNs, share, pool.readGBps, pool.writeGBps, KNEE, readNs, writeNs);
    }),
  );
  const backs = sum(endpoints.map(({ written }) => written));
  const writeBack = sim.headWriteBack(stallCycles, MEAN_WEIGHT, backs, llcMisses, llcMisses, prefetches, llcHits);
  return sim.headDelayNs(latency, bandwidth, writeBack);
}

/** v1's delay of an epoch as its controller adds it up: latency times 1000 (a slip of units) and the bandwidth term. */
export function v1DelayNs(
  sim: CxlMemSimExports,
  topology: Topology,
  host: HostProfile,
  epoch: TraceEpoch,
  pools: readonly TraceTraffic[],
): number {
  const endpoints = endpointsOf(topology, host, pools);
  const reads = sum(endpoints.map(({ read }) => read));
  const writes = sum(endpoints.map(({ written }) => written));
  const { llcMisses = reads, llcHits = 0, stallCycles = 0, cycles } = epoch.counters;
  const mhz = cycles ? (cycles / epoch.nativeNs) * 1000 : V1_MHZ;
  const backed = sim.v1WriteBacks(writes, llcMisses, reads);
  const accesses = (kind: number) => sim.v1Accesses(stallCycles, mhz, V1_WEIGHT, kind, llcMisses, llcHits, host.idleNs);
  const [readOnly, back] = [accesses(llcMisses - backed), accesses(backed)];
  const latency = sum(
    endpoints.map(({ pool, read, written }) => {
      const readPart = reads > 0 ? read / reads : 0;
      const writePart = writes > 0 ? written / writes : 0;
      return readOnly * readPart * pool.readAdderNs + back * writePart * pool.writeAdderNs;
    }),
  );
  const bandwidth = sum(
    endpoints.map(({ pool, read }) => sim.v1Bandwidth(read, epoch.nativeNs / 1e6, 0, pool.readGBps * 1000)),
  );
  return latency * 1000 + bandwidth;
}
