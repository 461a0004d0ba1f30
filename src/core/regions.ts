// The mappings of a watched program and where in a topology they would live.

/** One mapping of /proc/PID/maps. */
export interface Region {
  readonly startAddress: number;
  readonly sizeBytes: number;
  /** Bytes in memory now; the whole size where it is not known. */
  readonly residentBytes: number;
  /** A path, `[heap]`, `[stack]`, or "" for anonymous memory. */
  readonly name: string;
  readonly kind: "heap" | "stack" | "anon" | "file" | "kernel";
  readonly writable: boolean;
}

/** A region and its share in each pool of the topology. */
export interface PlacedRegion {
  readonly region: Region;
  /** [pools], sums to 1. */
  readonly shares: readonly number[];
}

/** Decides where regions live; `heat` are lines so far by region, where they are known. */
export type RegionPlacer = (regions: readonly Region[], heat: readonly number[]) => readonly PlacedRegion[];
