// From epochs of a trace to rows of the batch ABI: [ns, (lines by kind) x pools], spread over the pools by shares where the trace
// knows one memory only.

import { InputError } from "../core/errors.js";
import type { Topology } from "../core/topology.js";
import type { TraceEpoch, TraceTraffic } from "../core/trace.js";
import { LINE_BYTES } from "../core/units.js";

/** Shares by pool for traces of one memory: `cxl0:1` or `dram:0.5,cxl0:0.5`; none = all in the first far pool. */
export function parseShares(topology: Topology, text: string | undefined): number[] {
  const names = topology.pools.map(({ name }) => name);
  if (text === undefined) return names.map((_, i) => (i === Math.min(1, names.length - 1) ? 1 : 0));
  const shares = names.map(() => 0);
  for (const item of text.split(",")) {
    const match = /^\s*([\w.-]+)\s*[:=]\s*(\d*\.?\d+)\s*$/.exec(item);
    if (!match) throw new InputError("--shares", item, "is no POOL:SHARE", "Write --shares dram:0.5,cxl0:0.5");
    const at = names.indexOf(match[1] as string);
    if (at < 0)
      throw new InputError("--shares", item, `there is no pool ${match[1]}`, `Pools are: ${names.join(", ")}.`);
    shares[at] = Number(match[2]);
  }
  const sum = shares.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > 1e-9)
    throw new InputError("--shares", text, `the shares sum to ${sum}`, "They must sum to 1.");
  return shares;
}

/** [pools] traffic of an epoch. */
export function spread(
  source: string,
  epoch: TraceEpoch,
  topology: Topology,
  shares: readonly number[],
): TraceTraffic[] {
  const { perPool, line } = epoch;
  if (perPool.length === topology.pools.length) return [...perPool];
  const [whole] = perPool;
  if (perPool.length === 1 && whole) {
    return shares.map((share) => ({
      chaseLines: whole.chaseLines * share,
      demandLines: whole.demandLines * share,
      streamedBytes: whole.streamedBytes * share,
      writtenBytes: whole.writtenBytes * share,
    }));
  }
  const problem = `perPool has ${perPool.length} entries, topology ${topology.name} has ${topology.pools.length} pools`;
  throw new InputError(source, `line ${line}`, problem, "Give one entry, or one a pool.");
}

/** Row of `traffic`. */
export function trafficRow(nativeNs: number, pools: readonly TraceTraffic[]): number[] {
  return [
    nativeNs,
    ...pools.flatMap(({ chaseLines, demandLines, streamedBytes, writtenBytes }) => [
      chaseLines,
      demandLines,
      streamedBytes / LINE_BYTES,
      writtenBytes / LINE_BYTES,
    ]),
  ];
}

/** Row of `stall`: stall ns by the pool whose lines were waited for; the lines are the load. */
export function stallRow(nativeNs: number, stallNs: number, pools: readonly TraceTraffic[]): number[] {
  const waited = pools.map(({ chaseLines, demandLines }) => chaseLines + demandLines);
  const sum = waited.reduce((a, b) => a + b, 0);
  const streamed = pools.reduce((total, { streamedBytes }) => total + streamedBytes, 0);
  return [
    nativeNs,
    ...pools.flatMap((pool, i) => {
      const share =
        sum > 0 ? (waited[i] as number) / sum : streamed > 0 ? pool.streamedBytes / streamed : i === 0 ? 1 : 0;
      return [stallNs * share, waited[i] as number, pool.streamedBytes / LINE_BYTES, pool.writtenBytes / LINE_BYTES];
    }),
  ];
}
