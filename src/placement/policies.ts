// The policies as tables: names with what they do, their numbers in build/memory.wasm, and the defaults.

import { InputError } from "../core/errors.js";
import type { AllocationName, FarCacheName, MigrationName, PagePolicy, PageSizeName } from "../core/pages.js";

interface Entry<N extends string> {
  readonly name: N;
  /** As assembly/memory numbers it. */
  readonly code: number;
  readonly what: string;
}

export const ALLOCATIONS: readonly Entry<AllocationName>[] = [
  { name: "first-touch", code: 0, what: "the nearest pool with room when a page is first touched" },
  { name: "first-fit", code: 1, what: "pages in the order of their addresses, local memory first" },
  { name: "interleave", code: 2, what: "weighted round robin over the pools in the order of first touches" },
  { name: "numa", code: 3, what: "local until 90 %, then most (1 - occupancy) / (0.7 read + 0.3 write latency)" },
  { name: "capacity-balanced", code: 4, what: "the pool that is least full" },
  { name: "best-shot", code: 2, what: "interleaved with the weights that minimise the time of the whole trace" },
];

export const MIGRATIONS: readonly Entry<MigrationName>[] = [
  { name: "none", code: 0, what: "pages stay" },
  { name: "frequency", code: 1, what: "hot in the window comes near, cold leaves; CXLMemSim" },
  { name: "heat-aware", code: 2, what: "hot since the start comes near; CXLMemSim" },
  { name: "lifetime", code: 3, what: "what lives longest comes near; CXLMemSim" },
  { name: "hybrid", code: 4, what: "frequency or heat-aware; CXLMemSim" },
  { name: "load-balance", code: 5, what: "five pages from the most to the least loaded pool; CXLMemSim" },
  { name: "locality", code: 6, what: "several lines in one epoch come near; CXLMemSim" },
  { name: "oracle", code: 0, what: "knows the trace: its hottest pages are near from the start" },
  { name: "tpp", code: 7, what: "touched twice comes near, longest unused leaves; TPP, ASPLOS 2023" },
  { name: "colloid", code: 8, what: "hot pages go to the memory of shorter loaded latency; Colloid, SOSP 2024" },
];

export const FAR_CACHES: readonly Entry<FarCacheName>[] = [
  { name: "none", code: 0, what: "far lines are read from far" },
  { name: "fifo", code: 1, what: "the oldest copy leaves" },
  { name: "lru", code: 2, what: "the longest unused copy leaves" },
  { name: "frequency", code: 3, what: "the least used copy leaves, and only for a page that is used more" },
];

/** Translations: entries of the second-level cache and ns of a walk (Golden Cove: 2048 shared by 4K and 2M; 1G: 16). A level less a size. */
export const PAGE_SIZES: readonly (Entry<PageSizeName> & { bytes: number; entries: number; walkNs: number })[] = [
  { name: "4K", code: 0, what: "native", bytes: 4096, entries: 2048, walkNs: 20 },
  { name: "2M", code: 9, what: "512 native pages", bytes: 2 ** 21, entries: 1024, walkNs: 15 },
  { name: "1G", code: 18, what: "512 pages of 2M", bytes: 2 ** 30, entries: 16, walkNs: 10 },
];

export const DEFAULT_POLICY: PagePolicy = {
  allocation: "first-touch",
  weights: [],
  migration: "none",
  farCache: "none",
  farCacheBytes: 0,
  pageSize: "4K",
  budget: 64,
  hotLines: 100,
  coldLines: 10,
  clearEpochs: 10,
  ageEpochs: 4,
  localityLines: 5,
  tolerance: 0.2,
  watermark: 0.02,
  faultNs: 2000,
};

/** An entry by name. Throws InputError that lists the known ones. */
export function entryOf<E extends Entry<string>>(table: readonly E[], what: string, name: string): E {
  const entry = table.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const known = table.map((candidate) => candidate.name).join(", ");
  throw new InputError("policy", what, `${name} is unknown`, `Known: ${known}.`);
}

/** [18] parameters in the order of assembly/memory/page-state.ts. */
export function policyNumbers(policy: PagePolicy): number[] {
  const size = entryOf(PAGE_SIZES, "pageSize", policy.pageSize);
  const [native] = PAGE_SIZES;
  return [
    entryOf(ALLOCATIONS, "allocation", policy.allocation).code,
    entryOf(MIGRATIONS, "migration", policy.migration).code,
    ...[policy.budget, policy.hotLines, policy.coldLines, policy.clearEpochs, policy.ageEpochs, policy.localityLines],
    ...[policy.tolerance, policy.watermark],
    entryOf(FAR_CACHES, "farCache", policy.farCache).code,
    Math.floor(policy.farCacheBytes / size.bytes),
    size.bytes / 64,
    size.code,
    ...[native.entries, native.walkNs, size.entries, size.walkNs],
  ];
}
