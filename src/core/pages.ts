// Page-granular traces and the policies that place and move pages.

/** One touch: page of 4 KiB, lines read from it and written to it beyond the cache. */
export type PageTouch = readonly [page: number, readLines: number, writtenLines: number];

export interface PageEpoch {
  /** Measured time of the epoch with everything local. */
  readonly nativeNs: number;
  readonly pages: readonly PageTouch[];
}

export interface PageTrace {
  /** Pages are numbered below this. */
  readonly pageCount: number;
  readonly epochs: readonly PageEpoch[];
}

export type AllocationName = "first-touch" | "first-fit" | "interleave" | "numa" | "capacity-balanced" | "best-shot";

export type MigrationName =
  | "none"
  | "frequency"
  | "heat-aware"
  | "lifetime"
  | "hybrid"
  | "load-balance"
  | "locality"
  | "oracle"
  | "tpp"
  | "colloid";

export type FarCacheName = "none" | "fifo" | "lru" | "frequency";

export type PageSizeName = "4K" | "2M" | "1G";

/** Everything that decides where pages live. */
export interface PagePolicy {
  readonly allocation: AllocationName;
  /** [pools] for `interleave`; best-shot finds its own. */
  readonly weights: readonly number[];
  readonly migration: MigrationName;
  readonly farCache: FarCacheName;
  /** Near bytes that hold copies of far pages. */
  readonly farCacheBytes: number;
  readonly pageSize: PageSizeName;
  /** Most pages moved at the end of one epoch, up to 512. */
  readonly budget: number;
  /** Lines above which `frequency`, `heat-aware` and `hybrid` call a page hot, and below which cold (CXLMemSim: 100, 10). */
  readonly hotLines: number;
  readonly coldLines: number;
  /** Epochs after which `frequency` and `hybrid` forget. */
  readonly clearEpochs: number;
  /** Epochs after which `lifetime` moves a page. */
  readonly ageEpochs: number;
  /** Lines in one epoch after which `locality` moves a page (CXLMemSim: 5). */
  readonly localityLines: number;
  /** Imbalance that `load-balance` (CXLMemSim: 0.2) and `colloid` leave alone. */
  readonly tolerance: number;
  /** Share of near memory that `tpp` keeps free. */
  readonly watermark: number;
  /** Page-fault time of one migration: unmapping, copying's own overhead, shootdown of other cores' translations. */
  readonly faultNs: number;
}

/** What one epoch came to. */
export interface PageEpochResult {
  /** max(native, solved memory time) of the program's own lines. */
  readonly programNs: number;
  /** Bytes of moves and fills on both sides, and page faults. */
  readonly moveNs: number;
  /** Against native pages; below 0 = saved. */
  readonly translationNs: number;
  readonly moves: number;
}

export interface PageRun {
  readonly policy: PagePolicy;
  readonly epochs: readonly PageEpochResult[];
  readonly totalNs: number;
  readonly pagesMoved: number;
  /** Time of all moves and fills. */
  readonly costNs: number;
  /** Program time of the same trace without migration and copies, less that with them; costs not subtracted. */
  readonly savedNs: number;
  /** savedNs - costNs. */
  readonly gainNs: number;
}
