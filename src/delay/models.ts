// The delay models by name over a recorded trace. `traffic` and `stall` are solved in batches by assembly/epoch; `camp` and the
// two of CXLMemSim are functions of counters. A model whose events are missing is unavailable, never zero.

import type { EpochDelay } from "../core/epoch.js";
import { InputError, UnavailableError } from "../core/errors.js";
import type { HostProfile } from "../core/host.js";
import type { Platform } from "../core/ports.js";
import type { Topology } from "../core/topology.js";
import {
  DELAY_MODELS,
  type DelayModelName,
  type ReplayedEpoch,
  type TraceEpoch,
  type TraceTraffic,
} from "../core/trace.js";
import { type CampCoefficients, type CampExports, campSlowdown, missingCampEvent } from "./camp.js";
import { type CxlMemSimExports, headDelayNs, v1DelayNs } from "./cxlmemsim.js";
import { stallRow, trafficRow } from "./rows.js";
import { type EpochExports, setMachine } from "./solver.js";

/** f64 of one result of `evaluateEach`. */
const EACH_NUMBERS = 8;

export type DelayExports = EpochExports & CampExports & CxlMemSimExports;

export interface ReplayOptions {
  readonly topology: Topology;
  readonly host: HostProfile;
  readonly threads: number;
  /** null = `camp` is unavailable. */
  readonly camp: CampCoefficients | null;
}

/** An epoch and what it moved to and from each pool of the topology. */
export interface PlacedEpoch {
  readonly epoch: TraceEpoch;
  readonly pools: readonly TraceTraffic[];
}

type Model = (wasm: DelayExports, options: ReplayOptions, epochs: readonly PlacedEpoch[]) => ReplayedEpoch[];

function lacks(name: DelayModelName, { line }: TraceEpoch, what: string): never {
  throw new UnavailableError(
    `delay model ${name}`,
    `the epoch of line ${line} has no ${what}`,
    "Record it, or use traffic.",
  );
}

function toDelay(numbers: Float64Array, at: number, hasLoads: boolean): ReplayedEpoch {
  const each = numbers.subarray(at, at + EACH_NUMBERS);
  const [localNs, placedNs, latencyNs, bandwidthNs, congestionNs, writeBackNs, otherHostsNs, residual] = each;
  const own = { latencyNs, bandwidthNs, congestionNs, writeBackNs };
  const terms = hasLoads ? { ...own, otherHostsNs } : own;
  return { delay: { localNs, placedNs, delayNs: placedNs - localNs, terms }, residual };
}

/** Solves rows of the batch ABI, as many at a time as fit. */
function solveRows(wasm: EpochExports, topology: Topology, model: 0 | 1, rows: readonly number[][]): ReplayedEpoch[] {
  const pools = topology.pools.length;
  const most = wasm.maxEach(pools);
  const results: ReplayedEpoch[] = [];
  for (let first = 0; first < rows.length; first += most) {
    const part = rows.slice(first, first + most);
    new Float64Array(wasm.memory.buffer, wasm.stagesAt(), part.length * (1 + 4 * pools)).set(part.flat());
    const code = wasm.evaluateEach(model, pools, topology.edges.length, part.length);
    if (code !== 0)
      throw new InputError(`topology ${topology.name}`, "", `counts out of range (${code})`, "Shrink it.");
    const out = new Float64Array(wasm.memory.buffer, wasm.eachAt(), part.length * EACH_NUMBERS);
    results.push(...part.map((_, i) => toDelay(out, i * EACH_NUMBERS, (topology.loads?.length ?? 0) > 0)));
  }
  return results;
}

function stallNs({ counters, nativeNs, ...epoch }: TraceEpoch): number {
  const { stallNs: given, stallCycles, cycles } = counters;
  if (given === undefined && (stallCycles === undefined || !cycles)) {
    return lacks("stall", { counters, nativeNs, ...epoch }, "counters stallNs, or stallCycles and cycles");
  }
  return Math.min(nativeNs, given ?? ((stallCycles as number) / (cycles as number)) * nativeNs);
}

function fromDelay(nativeNs: number, delayNs: number, terms: Partial<EpochDelay["terms"]>): ReplayedEpoch {
  const none = { latencyNs: 0, bandwidthNs: 0, congestionNs: 0, writeBackNs: 0 };
  const delay = { localNs: nativeNs, placedNs: nativeNs + delayNs, delayNs, terms: { ...none, ...terms } };
  return { delay, residual: 0 };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const readBytes = (p: TraceTraffic) => (p.chaseLines + p.demandLines) * 64 + p.streamedBytes;

/** Loaded over idle latency of memory `pool` (host's other loads included) when it moves these bytes in `ns`. */
function loadOf(wasm: EpochExports, pool: number, read: number, written: number, ns: number): number {
  return Math.max(1, wasm.latencyNs(pool, read / ns, written / ns) / wasm.latencyNs(pool, 0, 0));
}

/** CAMP: the slowdown of everything far, and what interleaving over near and far memory makes of it. */
function campDelay(wasm: DelayExports, coefficients: CampCoefficients, { epoch, pools }: PlacedEpoch): ReplayedEpoch {
  const { nativeNs, counters } = epoch;
  const { slowdown, stores } = campSlowdown(wasm, coefficients, counters);
  const read = sum(pools.map(readBytes));
  const written = sum(pools.map(({ writtenBytes }) => writtenBytes));
  const near = pools[0] as TraceTraffic;
  const farBytes = read + written - readBytes(near) - near.writtenBytes;
  if (farBytes <= 0) return fromDelay(nativeNs, 0, {});
  const share = farBytes / (read + written);
  const farNs = nativeNs * (1 + slowdown);
  // With everything far, each far pool moves 1 / share times what it does now.
  const farLoad = sum(
    pools.slice(1).map((pool, i) => {
      const part = (readBytes(pool) + pool.writtenBytes) / farBytes;
      return part * loadOf(wasm, i + 1, readBytes(pool) / share, pool.writtenBytes / share, farNs);
    }),
  );
  const nearLoad = loadOf(wasm, 0, read, written, nativeNs);
  const { cycles = 0, stallsL3Miss: stalls = 0 } = counters;
  const more = wasm.campInterleaved(share, stalls, stalls + slowdown * cycles, nearLoad, farLoad);
  const delayNs = cycles > 0 ? (nativeNs * more) / cycles : 0;
  const linear = slowdown * share * nativeNs;
  const writeBackNs = stores * share * nativeNs;
  return fromDelay(nativeNs, delayNs, { latencyNs: linear - writeBackNs, writeBackNs, bandwidthNs: delayNs - linear });
}

const MODELS: Readonly<Record<DelayModelName, Model>> = {
  traffic: (wasm, { topology }, epochs) =>
    solveRows(
      wasm,
      topology,
      0,
      epochs.map(({ epoch, pools }) => trafficRow(epoch.nativeNs, pools)),
    ),
  stall: (wasm, { topology }, epochs) =>
    solveRows(
      wasm,
      topology,
      1,
      epochs.map(({ epoch, pools }) => stallRow(epoch.nativeNs, stallNs(epoch), pools)),
    ),
  camp: (wasm, { camp }, epochs) => {
    if (!camp) {
      const reason = "it has no coefficients for this host and device";
      throw new UnavailableError("delay model camp", reason, "Fit them: --camp MICROBENCHMARKS.jsonl");
    }
    return epochs.map((placed) => {
      const missing = missingCampEvent(placed.epoch.counters);
      return missing ? lacks("camp", placed.epoch, `counter ${missing}`) : campDelay(wasm, camp, placed);
    });
  },
  cxlmemsim: (wasm, { topology, host }, epochs) =>
    epochs.map(({ epoch, pools }) => {
      const ns = headDelayNs(wasm, topology, host, epoch, pools);
      return fromDelay(epoch.nativeNs, ns, { latencyNs: ns });
    }),
  "cxlmemsim-v1": (wasm, { topology, host }, epochs) =>
    epochs.map(({ epoch, pools }) => {
      if (epoch.counters.stallCycles === undefined) return lacks("cxlmemsim-v1", epoch, "counter stallCycles");
      const ns = v1DelayNs(wasm, topology, host, epoch, pools);
      return fromDelay(epoch.nativeNs, ns, { latencyNs: ns });
    }),
};

/** Opens build/epoch.wasm with all its models. */
export async function openDelayModels(platform: Pick<Platform, "wasm">): Promise<DelayExports> {
  const bytes = await platform.wasm("epoch");
  const { instance } = await WebAssembly.instantiate(bytes as BufferSource as ArrayBuffer);
  return instance.exports as unknown as DelayExports;
}

/** Checks a model's name. Throws InputError with the known ones. */
export function delayModelNamed(name: string): DelayModelName {
  const known = DELAY_MODELS.find((candidate) => candidate === name);
  if (known) return known;
  throw new InputError("--delay", name, "is no delay model", `Known: ${DELAY_MODELS.join(", ")}.`);
}

/** The delay of every epoch. Throws UnavailableError when the model lacks events or coefficients. */
export function replayEpochs(
  wasm: DelayExports,
  name: DelayModelName,
  options: ReplayOptions,
  epochs: readonly PlacedEpoch[],
): ReplayedEpoch[] {
  setMachine(wasm, options.topology, options.host, options.threads);
  return MODELS[name](wasm, options, epochs);
}
