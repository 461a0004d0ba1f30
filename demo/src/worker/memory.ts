// What far memory would do: records of op lists, and what they cost under the panel's settings. The math is the harness's own
// delay model; a record is made once for each list and cache, and evaluated as often as a slider moves.

import {
  type HostProfile,
  loadDefaultHost,
  loadTopology,
  modelledNs,
  openTrafficModel,
  type PlacedTensors,
  type Platform,
  placeTensors,
  type RecordedEpoch,
  type TensorSpec,
  type Topology,
  type TrafficModel,
  type TrafficRecord,
} from "../../../src/browser.js";
import { rulesOf, type Settings, settledTopology, TOPOLOGY_NAMES } from "../settings.js";

const MB = 1e6;

/** Ops over their tensors. */
export interface Run {
  readonly specs: readonly TensorSpec[];
  readonly epochs: readonly Pick<RecordedEpoch, "phase" | "ops">[];
  readonly threads: number;
}

/** One epoch beyond the cache. */
export interface EpochCost {
  readonly localNs: number;
  readonly placedNs: number;
  readonly delayNs: number;
  /** [pools] */
  readonly missBytes: readonly number[];
}

export interface Memory {
  readonly frozen: HostProfile;
  topology(settings: Settings): Topology;
  /** Throws InputError for a placement that does not fit. */
  place(specs: readonly TensorSpec[], settings: Settings): PlacedTensors;
  /** Costs of each epoch; `measuredNs` null: modelled from the profile alone. */
  costs(run: Run, settings: Settings, host: HostProfile, measuredNs: readonly number[] | null): EpochCost[];
  /** Delay of epoch `index` alone, which took `measuredNs` here; never negative. */
  delayNs(run: Run, index: number, settings: Settings, host: HostProfile, measuredNs: number): number;
  /** Modelled ns of a whole run. */
  modelledNs(run: Run, settings: Settings): number;
}

/** Effective cache of the settings over a host profile. */
export function cacheBytes({ cache }: Settings, host: HostProfile): number {
  if (cache === "host") return host.llcBytes;
  return cache === "none" ? 0 : cache * MB;
}

/** Records by run and cache size; a run that is no longer used takes its records with it. */
function recorder(traffic: TrafficModel): (run: Run, llcBytes: number) => TrafficRecord {
  const known = new WeakMap<Run, Map<number, TrafficRecord>>();
  return (run, llcBytes) => {
    const records = known.get(run) ?? new Map<number, TrafficRecord>();
    known.set(run, records);
    const epochs = run.epochs.map(({ ops }) => ops);
    const record = records.get(llcBytes) ?? traffic.record({ specs: run.specs, epochs, llcBytes, warmPasses: 1 });
    records.set(llcBytes, record);
    return record;
  };
}

/** Opens the delay model, the frozen host and all presets. */
export async function openMemoryModel(platform: Platform): Promise<Memory> {
  const [traffic, frozen, ...topologies] = await Promise.all([
    openTrafficModel(platform),
    loadDefaultHost(platform),
    ...TOPOLOGY_NAMES.map((name) => loadTopology(platform, name)),
  ]);
  const recordOf = recorder(traffic);
  const topology = (settings: Settings) => {
    const preset = topologies.find(({ name }) => name === settings.topology) ?? topologies[0];
    return settledTopology(preset as Topology, settings);
  };
  const place = (specs: readonly TensorSpec[], settings: Settings) => {
    const settled = topology(settings);
    return placeTensors(settled, specs, rulesOf(settled, settings));
  };
  const evaluate = (run: Run, settings: Settings, host: HostProfile, measuredNs: readonly number[] | null) => {
    const record = recordOf(run, cacheBytes(settings, host));
    return traffic.evaluate(record, place(run.specs, settings), { host, threads: run.threads, measuredNs });
  };
  return {
    frozen,
    topology,
    place,
    costs(run, settings, host, measuredNs) {
      return evaluate(run, settings, host, measuredNs).epochs.map(({ low, high }) => ({
        localNs: (low.delay.localNs + high.delay.localNs) / 2,
        placedNs: (low.delay.placedNs + high.delay.placedNs) / 2,
        delayNs: (low.delay.delayNs + high.delay.delayNs) / 2,
        missBytes: low.perPool.map((pool, i) => {
          const other = high.perPool[i] ?? pool;
          const bytes = ({ demandLines, streamedBytes, writtenBytes }: typeof pool) =>
            demandLines * 64 + streamedBytes + writtenBytes;
          return (bytes(pool) + bytes(other)) / 2;
        }),
      }));
    },
    delayNs(run, index, settings, host, measuredNs) {
      const record = recordOf(run, cacheBytes(settings, host));
      const epoch = record.epochs[index];
      if (!epoch) return 0;
      const options = { host, threads: run.threads, measuredNs: [measuredNs] };
      const { low, high } = traffic.evaluate({ ...record, epochs: [epoch] }, place(run.specs, settings), options).total;
      return Math.max(0, (low.delay.delayNs + high.delay.delayNs) / 2);
    },
    modelledNs: (run, settings) => modelledNs(evaluate(run, settings, frozen, null).total).value,
  };
}
