// The delay model of this host: shipped and probed host profiles, measured read bandwidth, topologies.

import { openMemoryProbe } from "../../backends/wasm/probe.js";
import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import type { HostProfile } from "../../core/host.js";
import type { Platform } from "../../core/ports.js";
import type { ReadBandwidth } from "../../core/result.js";
import type { Target } from "../../core/target.js";
import { MIB } from "../../core/units.js";
import { openTrafficModel } from "../../delay/traffic.js";
import { placeTensors } from "../../placement/place.js";
import { loadDefaultHost, loadTopology } from "../../placement/topology.js";
import type { MemoryParts } from "../../run/parts.js";
import { probeHost } from "../../run/probe.js";
import { measureRate } from "./rates.js";

/** As large as the probe's largest buffer (src/run/probe.ts). */
const PROBE_BYTES = 256 * MIB;

export interface ProbedHost {
  readonly host: HostProfile;
  readonly bandwidth: readonly ReadBandwidth[];
}

/** The probe reads in several rounds; the best of each kind stays. */
function keepBest(kept: ReadBandwidth[], one: ReadBandwidth): void {
  const at = kept.findIndex(({ streams, threads }) => streams === one.streams && threads === one.threads);
  if (at < 0) kept.push(one);
  else if (one.gbps.value > kept[at].gbps.value) kept[at] = one;
}

/**
 * The two-second probe with the given target's kernels. The best read of each kind is kept as a bandwidth figure.
 * @param toldLlcBytes size of the largest cache that the system tells of; null where it does not
 */
export async function probe(
  platform: Platform,
  target: Target,
  fallback: HostProfile,
  toldLlcBytes: number | null,
): Promise<ProbedHost> {
  const bandwidth: ReadBandwidth[] = [];
  const quantizer = await openQuantizer(platform);
  const memory = await openMemoryProbe(platform, PROBE_BYTES, target.threads);
  const open = () => openWasm(platform, { variant: target.variant as WasmVariant, threads: 1 });
  try {
    const host = await probeHost({
      memory: {
        measureChaseNs: memory.measureChaseNs,
        async measureReadGBps(bytes, streams, threads) {
          const value = await memory.measureReadGBps(bytes, streams, threads);
          keepBest(bandwidth, { streams, threads, gbps: { value, unit: "GB/s", source: "measured" } });
          return value;
        },
      },
      computeRate: (family) => measureRate(family, open, quantizer, platform.clock),
      threads: target.threads,
      toldLlcBytes,
      fallback,
    });
    return { host, bandwidth };
  } finally {
    await memory.close();
  }
}

/** Topologies and delay model of a scenario. Throws InputError for unknown topologies and broken files. */
export async function openMemory(
  platform: Platform,
  topologies: readonly string[],
  probeWith: (fallback: HostProfile) => Promise<ProbedHost>,
): Promise<MemoryParts> {
  const loaded = await Promise.all(topologies.map((name) => loadTopology(platform, name)));
  const frozenHost = await loadDefaultHost(platform);
  const traffic = await openTrafficModel(platform);
  const { host, bandwidth } = await probeWith(frozenHost);
  return {
    traffic,
    frozenHost,
    host,
    bandwidth,
    topologies: loaded,
    place: (specs, topology, rules) => placeTensors(topology, specs, rules),
  };
}
