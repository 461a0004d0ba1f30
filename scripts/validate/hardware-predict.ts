// Predictions for the hardware validation from calibrated figures alone, all by the epoch equation in build/epoch.wasm: cache as
// the host's own memory and DRAM as a far pool, or DRAM as the host's own memory with another load on it.

import { type CurvePoint, type HostProfile, sealProfile } from "../../src/core/host.js";
import type { FarPool, Topology } from "../../src/core/topology.js";
import { type EpochExports, setMachine, solveEpoch } from "../../src/delay/solver.js";

export interface PacePoint {
  readonly pause: number;
  /** ns of a step of 4 KiB and its pause, beside a chase. */
  readonly stepNs: number;
}

/** What was calibrated, on other footprints and loads than those predicted. */
export interface HardwareFigures {
  /** Of a dependent load in the second-level cache, rising in bytes: address translation costs more as the footprint grows. */
  readonly cache: readonly { readonly bytes: number; readonly ns: number }[];
  /** Of a dependent load in DRAM. */
  readonly dramNs: number;
  /** Of a load of many chains in the first-level cache: what the core itself needs. */
  readonly chainNs: number;
  /** Of a probe of a hash join in cache. */
  readonly probeNs: number;
  /** Independent single loads that the core keeps in flight. */
  readonly strideLines: number;
  /** Lines that eight linear streams keep in flight. */
  readonly streamLines: number;
  /** Plain reads of one core. */
  readonly cacheGBps: number;
  readonly dramGBps: number;
  /** Reads of two threads together. */
  readonly bothGBps: number;
  /** The memory's peak; several times `bothGBps` where two threads do not slow each other, so that nothing is known of it. */
  readonly peakGBps: number;
  readonly curve: readonly CurvePoint[];
  /** Multiply-accumulates a second of the int4 products in cache, by activations and group. */
  readonly macRates: Readonly<Record<string, number>>;
  /** Lines that a kernel of single loads kept in flight in DRAM on another footprint, as arithmetic leaves it fewer. */
  readonly ownLines: Readonly<Record<string, number>>;
  /** Loads of DRAM that a kernel waits for, beside its arithmetic, at the start of each of its streams; from another shape. */
  readonly startLines: Readonly<Record<string, number>>;
  readonly pace: Readonly<Record<"read" | "store", readonly PacePoint[]>>;
}

/** One program on one footprint, as the equation sees a pass. */
export interface Demand {
  readonly computeNs: number;
  /** Bytes of the buffer. */
  readonly bytes: number;
  /** Chains of the chase; 1 where there is none. */
  readonly chains: number;
  /** Of `ownLines` or `startLines`; null for programs that are nothing but loads. */
  readonly kernel: string | null;
  /** Lines that are in cache or in DRAM, by pattern. */
  readonly chaseLines: number;
  readonly strideLines: number;
  readonly streamLines: number;
  /** Linear streams that the pass begins one after another. */
  readonly starts: number;
  /** Lines of the stride pattern that are read again soon: near in both runs. */
  readonly repeatedLines: number;
}

/** A pass without any work. */
export const nothing: Omit<Demand, "bytes"> = {
  ...{ computeNs: 0, chains: 1, kernel: null, starts: 0 },
  ...{ chaseLines: 0, strideLines: 0, streamLines: 0, repeatedLines: 0 },
};

export interface Predicted {
  readonly nearNs: number;
  readonly farNs: number;
  readonly slowdown: number;
  /** The same with the kernel's own lines in flight and the waits at the starts of its streams. */
  readonly ownFarNs: number;
  readonly ownSlowdown: number;
}

/** Latency in cache over a footprint, between those that were calibrated. */
export function cacheNsAt({ cache }: HardwareFigures, bytes: number): number {
  const above = cache.findIndex((point) => point.bytes >= bytes);
  const high = cache[above < 0 ? cache.length - 1 : above] as HardwareFigures["cache"][number];
  const low = cache[above - 1];
  if (above <= 0 || !low) return high.ns;
  return low.ns + ((bytes - low.bytes) / (high.bytes - low.bytes)) * (high.ns - low.ns);
}

function hostOf(figures: HardwareFigures, { chains, bytes }: Demand, isDram: boolean): HostProfile {
  const { dramNs, cacheGBps, peakGBps, strideLines, streamLines } = figures;
  const rate = isDram ? peakGBps : cacheGBps;
  return sealProfile({
    ...{ name: "hardware", source: "measured", llcBytes: 0, idleNs: isDram ? dramNs : cacheNsAt(figures, bytes) },
    ...{ readGBps: rate, mixedGBps: rate, writeGBps: rate },
    curve: isDram ? figures.curve : [],
    queueNs: 0,
    linesInFlight: { chase: Math.min(chains, strideLines), stride: strideLines, stream: streamLines },
    computeRates: { "int4-int8": 1, "int4-f32": 1, int8: 1, f32: 1, attention: 1, elementwise: 1 },
  });
}

const local = { kind: "local", name: "near", capacityBytes: 1 } as const;
const bare = {
  schemaVersion: 1,
  name: "hardware",
  description: "",
  edges: [],
  defaultPlacement: [],
  origins: {},
} as const;

function nearAndFar(epoch: EpochExports, figures: HardwareFigures, demand: Demand) {
  const { dramNs, peakGBps, curve } = figures;
  const adder = dramNs - cacheNsAt(figures, demand.bytes);
  const dram: FarPool = {
    ...{ kind: "far", name: "dram", capacityBytes: 1, path: [], curve, queueNs: 0 },
    ...{ readAdderNs: adder, writeAdderNs: adder, readGBps: peakGBps, mixedGBps: peakGBps, writeGBps: peakGBps },
  };
  const topology: Topology = { ...bare, pools: [local, dram] };
  setMachine(epoch, topology, hostOf(figures, demand, false), 1);
  const { computeNs, chaseLines, strideLines, streamLines, repeatedLines } = demand;
  const stage = [computeNs, 0, repeatedLines, 0, 0, chaseLines, strideLines, streamLines, 0];
  return solveEpoch(epoch, topology, [stage], 0).delay;
}

/** The figures with a kernel's own lines in flight in place of those of plain loads. */
function withOwnLines(figures: HardwareFigures, kernel: string | null): HardwareFigures {
  const own = kernel === null ? undefined : figures.ownLines[kernel];
  return own === undefined ? figures : { ...figures, strideLines: own, streamLines: own };
}

/** Slowdown of a pass whose lines lie in DRAM over one whose lines lie in cache. */
export function predictPair(epoch: EpochExports, figures: HardwareFigures, demand: Demand): Predicted {
  const { localNs: nearNs, placedNs: farNs } = nearAndFar(epoch, figures, demand);
  const own = nearAndFar(epoch, withOwnLines(figures, demand.kernel), demand);
  const waits = demand.starts * (figures.startLines[demand.kernel ?? ""] ?? 0);
  const starting = nearAndFar(epoch, figures, { ...nothing, bytes: demand.bytes, chaseLines: waits });
  const ownFarNs = own.placedNs + starting.delayNs;
  return {
    ...{ nearNs, farNs, slowdown: farNs / nearNs },
    // in cache the time is the kernel's, whose rate was taken there
    ...{ ownFarNs, ownSlowdown: ownFarNs / nearNs },
  };
}

/** Bandwidth that a co-runner takes at a pause between two calibrated ones; a store reads a line and writes it. */
export function loadAt(figures: HardwareFigures, kind: "read" | "store", pause: number) {
  const points = [...figures.pace[kind]].sort((a, b) => a.pause - b.pause);
  const above = Math.min(
    Math.max(
      1,
      points.findIndex((point) => point.pause >= pause),
    ),
    points.length - 1,
  );
  const [low, high] = [points[above - 1] as PacePoint, points[above] as PacePoint];
  const part = (pause - low.pause) / (high.pause - low.pause);
  const gbps = 4096 / (low.stepNs + part * (high.stepNs - low.stepNs));
  return { readGBps: gbps, writeGBps: kind === "store" ? gbps : 0 };
}

/** Slowdown of a pass over DRAM while another thread takes that bandwidth. */
export function predictContended(
  epoch: EpochExports,
  figures: HardwareFigures,
  demand: Demand,
  load: { readonly readGBps: number; readonly writeGBps: number },
): { readonly aloneNs: number; readonly besideNs: number; readonly slowdown: number } {
  const { chaseLines, strideLines, streamLines } = demand;
  const stage = [demand.computeNs, chaseLines, strideLines, streamLines, 0];
  const own = withOwnLines(figures, demand.kernel);
  const solved = (loads: Topology["loads"]) => {
    const topology: Topology = { ...bare, pools: [local], ...(loads ? { loads } : {}) };
    setMachine(epoch, topology, hostOf(own, demand, true), 1);
    return solveEpoch(epoch, topology, [stage], 0).delay.placedNs;
  };
  const aloneNs = solved(undefined);
  const besideNs = solved([{ host: "co-runner", pool: "near", edges: [], ...load }]);
  return { aloneNs, besideNs, slowdown: besideNs / aloneNs };
}
