// The delay model `traffic`: known bytes of our own inference, the cache's share of them, and the epoch equation
// (assembly/epoch). Modelled figures come from the frozen host profile and are the same bits on every machine;
// predicted figures use this machine's probed profile and add the delay to what was measured.

import type { EvaluateOptions, TrafficModel, TrafficRecord, TrafficResult, TrafficRun } from "../core/delay.js";
import type { EpochDelay, EpochEstimate, EpochEvaluation, PoolTraffic } from "../core/epoch.js";
import { InputError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import type { PlacedTensors } from "../core/topology.js";
import { type MemoryExports, recordMisses } from "./misses.js";
import { openPrefetch } from "./prefetch.js";
import { type EpochExports, setMachine, solveEpoch } from "./solver.js";
import { epochStages, indexHomes, poolTraffic, type StageTable } from "./stages.js";

async function instantiate<T>(platform: Pick<Platform, "wasm">, name: string): Promise<T> {
  const bytes = await platform.wasm(name);
  const { instance } = await WebAssembly.instantiate(bytes as BufferSource as ArrayBuffer);
  return instance.exports as T;
}

function addTraffic(a: PoolTraffic, b: PoolTraffic): PoolTraffic {
  return {
    demandLines: a.demandLines + b.demandLines,
    streamedBytes: a.streamedBytes + b.streamedBytes,
    writtenBytes: a.writtenBytes + b.writtenBytes,
  };
}

function addDelay(a: EpochDelay, b: EpochDelay): EpochDelay {
  return {
    localNs: a.localNs + b.localNs,
    placedNs: a.placedNs + b.placedNs,
    delayNs: a.delayNs + b.delayNs,
    terms: {
      latencyNs: a.terms.latencyNs + b.terms.latencyNs,
      bandwidthNs: a.terms.bandwidthNs + b.terms.bandwidthNs,
      congestionNs: a.terms.congestionNs + b.terms.congestionNs,
      writeBackNs: a.terms.writeBackNs + b.terms.writeBackNs,
      ...(b.terms.otherHostsNs === undefined
        ? {}
        : { otherHostsNs: (a.terms.otherHostsNs ?? 0) + b.terms.otherHostsNs }),
    },
  };
}

function sum(estimates: readonly EpochEstimate[], pools: number): EpochEstimate {
  const zero: EpochEstimate = {
    perPool: Array.from({ length: pools }, () => ({ demandLines: 0, streamedBytes: 0, writtenBytes: 0 })),
    delay: {
      localNs: 0,
      placedNs: 0,
      delayNs: 0,
      terms: { latencyNs: 0, bandwidthNs: 0, congestionNs: 0, writeBackNs: 0 },
    },
  };
  return estimates.reduce(
    (total, one) => ({
      perPool: total.perPool.map((traffic, i) => addTraffic(traffic, one.perPool[i])),
      delay: addDelay(total.delay, one.delay),
    }),
    zero,
  );
}

function checkOptions(record: TrafficRecord, placed: PlacedTensors, { threads, measuredNs }: EvaluateOptions): void {
  if (!(Number.isInteger(threads) && threads > 0)) {
    throw new InputError("--threads", "", `${threads} is no number of threads`, "Give 1 or more.");
  }
  if (placed.homeOf.length !== record.specs.length) {
    const problem = `places ${placed.homeOf.length} tensors of ${record.specs.length}`;
    throw new InputError("placement", placed.rules.join(" "), problem, "Place the tensors of the run's own graph.");
  }
  if (measuredNs !== null && measuredNs.length !== record.epochs.length) {
    const problem = `${measuredNs.length} measured times for ${record.epochs.length} epochs`;
    throw new InputError("measurement", "", problem, "Give one time for each epoch.");
  }
}

function evaluate(
  epoch: EpochExports,
  record: TrafficRecord,
  placed: PlacedTensors,
  options: EvaluateOptions,
): TrafficResult {
  checkOptions(record, placed, options);
  const { topology } = placed;
  const pools = topology.pools.length;
  const index = indexHomes(placed);
  const prefetch = openPrefetch(epoch, record, placed, options);
  setMachine(epoch, topology, options.host, options.threads);
  const epochs = record.epochs.map((ops, i): EpochEvaluation => {
    if (prefetch) return prefetch(ops, options.measuredNs?.[i] ?? 0);
    const { low, high, sure } = epochStages(ops, index, options.host, options.threads);
    const estimate = (table: StageTable): EpochEstimate => ({
      perPool: poolTraffic(table, pools),
      delay: solveEpoch(epoch, topology, table, options.measuredNs?.[i] ?? 0).delay,
    });
    const most = estimate(high);
    return { low: sure ? most : estimate(low), high: most };
  });
  const total = {
    low: sum(
      epochs.map((e) => e.low),
      pools,
    ),
    high: sum(
      epochs.map((e) => e.high),
      pools,
    ),
  };
  return { pools: topology.pools.map((pool) => pool.name), epochs, total };
}

/**
 * Opens the model: `record` finds what misses the cache, `evaluate` what that costs under a placement. Both are pure
 * (the modules keep nothing from call to call). Throws InputError for inputs that do not fit together.
 */
export async function openTrafficModel(platform: Pick<Platform, "wasm">): Promise<TrafficModel> {
  const epoch = await instantiate<EpochExports>(platform, "epoch");
  const cache = await instantiate<MemoryExports>(platform, "memory");
  return {
    record: (run: TrafficRun) => recordMisses(cache, run),
    evaluate: (record, placed, options) => evaluate(epoch, record, placed, options),
  };
}
