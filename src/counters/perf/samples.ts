// Where the misses lie: samples of operations that missed (PEBS or IBS, where the processor has them) carry their addresses. The counted
// misses are shared out over the regions by the last samples, with Poisson intervals.

import type { RegionLines, Span } from "../../core/counters.js";
import { type NativeAddon, SAMPLE_WORDS } from "../../core/native.js";
import type { Region } from "../../core/regions.js";
import { missedLastLevel } from "./data-source.js";

/** PERF_SAMPLE_TID, TIME, ADDR. */
const SAMPLE_TYPE = 2 | 4 | 8;
/** PERF_SAMPLE_DATA_SRC. */
const WITH_SOURCE = 0x8000;
/** Pages of each core's ring, samples drained at once, and samples that shares rest on. */
const RING_PAGES = 16;
const MOST_DRAINED = 4096;
const WINDOW = 4000;

export interface SampleSpec {
  /** [SPEC_WORDS] of the event. */
  readonly words: BigUint64Array;
  /** Events a sample. */
  readonly period: number;
  readonly preciseIp: number;
  /** Any operation is sampled, and only those count whose data source says that they missed; absent: the event is the miss. */
  readonly anyOp?: boolean;
}

export interface MissSamples {
  /** Shares `misses` out over the regions that the samples fell into; nothing while there are none. */
  read(misses: number, regions: readonly Region[]): RegionLines[];
  /** Samples lost so far, those of misses without an address included. */
  lost(): number;
  close(): void;
}

/** 95 % interval of a count as factors of it. */
function spread(count: number): Span {
  const half = 1.96 / Math.sqrt(count);
  return [Math.max(0, 1 - half), 1 + half];
}

/** Opens sampling on threads; a number above 0 is the errno why it cannot be. */
export function openSamples(addon: NativeAddon, spec: SampleSpec, tids: readonly number[]): MissSamples | number {
  const type = SAMPLE_TYPE | (spec.anyOp ? WITH_SOURCE : 0);
  const sampler = new addon.Sampler(spec.words, spec.period, spec.preciseIp, type, RING_PAGES);
  for (const tid of tids) {
    const errno = -sampler.attach(tid);
    if (errno === 0) continue;
    sampler.close();
    return errno;
  }
  const out = new BigUint64Array(MOST_DRAINED * SAMPLE_WORDS);
  let addresses: readonly number[] = [];
  let withoutAddress = 0;
  return {
    read(misses, regions) {
      const count = sampler.drain(out);
      const all = Array.from({ length: count }, (_, i) => out.subarray(i * SAMPLE_WORDS, (i + 1) * SAMPLE_WORDS));
      const missed = spec.anyOp ? all.filter((words) => missedLastLevel(words[4] as bigint)) : all;
      const fresh = missed.map((words) => Number(words[2])).filter((address) => address !== 0);
      withoutAddress += missed.length - fresh.length;
      addresses = [...addresses, ...fresh].slice(-WINDOW);
      const hits = regions.map(
        ({ startAddress, sizeBytes }) =>
          addresses.filter((one) => one >= startAddress && one < startAddress + sizeBytes).length,
      );
      const known = hits.reduce((a, b) => a + b, 0);
      return regions.flatMap(({ startAddress, sizeBytes, name }, i): RegionLines[] => {
        const own = hits[i] as number;
        if (own === 0) return [];
        const lines = (misses * own) / known;
        const [low, high] = spread(own);
        const none: Span = [0, 0];
        const irregularLines: Span = [lines * low, lines * high];
        return [
          { startAddress, sizeBytes, name, streamLines: none, strideLines: none, irregularLines, writtenLines: none },
        ];
      });
    },
    lost: () => sampler.lost() + withoutAddress,
    close: () => sampler.close(),
  };
}
