// Which mappings of a watched program an epoch's lines belong to, and in which pools those lie: what its JSON line tells by region.

import type { CountedEpoch, RegionLines, Span } from "../core/counters.js";
import type { PlacedRegion, Region } from "../core/regions.js";
import type { MappingLines } from "../core/watch.js";

type Counts = Pick<RegionLines, "streamLines" | "strideLines" | "irregularLines" | "writtenLines">;
const COLUMNS = ["streamLines", "strideLines", "irregularLines", "writtenLines"] as const;

/** A mapping that nobody placed, or that has gone since: the addresses as they were counted. */
const unknown = ({ startAddress, sizeBytes, name }: RegionLines, shares: readonly number[]) => ({
  region: { startAddress, sizeBytes, name, kind: "unknown" as const },
  shares,
});

type Home = { readonly region: Pick<Region, "startAddress" | "sizeBytes" | "name"> & { kind: string } } & {
  readonly shares: readonly number[];
};

/** The mappings that a range of addresses meets, with their parts of it. */
function homesOf(lines: RegionLines, placed: readonly PlacedRegion[], whole: readonly number[]) {
  const end = lines.startAddress + lines.sizeBytes;
  const met = placed.flatMap((home: Home) => {
    const from = Math.max(home.region.startAddress, lines.startAddress);
    const bytes = Math.min(home.region.startAddress + home.region.sizeBytes, end) - from;
    return bytes > 0 ? [{ home, bytes }] : [];
  });
  const sum = met.reduce((total, { bytes }) => total + bytes, 0);
  if (sum === 0) return [{ home: unknown(lines, whole) as Home, part: 1 }];
  return met.map(({ home, bytes }) => ({ home, part: bytes / sum }));
}

const plus = (a: Span, b: Span, part: number): Span => [a[0] + part * b[0], a[1] + part * b[1]];

/**
 * Lines by mapping, those with none left out; null where the source knows no addresses (then they are spread like resident bytes).
 * `whole`: [pools] shares of what lies in no mapping that is known.
 */
export function mappingLines(
  { regions }: Pick<CountedEpoch, "regions">,
  placed: readonly PlacedRegion[],
  whole: readonly number[],
): MappingLines[] | null {
  if (regions.length === 0) return null;
  const found = new Map<number, Home & { counts: Counts }>();
  for (const lines of regions) {
    for (const { home, part } of homesOf(lines, placed, whole)) {
      const zero: Counts = { streamLines: [0, 0], strideLines: [0, 0], irregularLines: [0, 0], writtenLines: [0, 0] };
      const before = found.get(home.region.startAddress)?.counts ?? zero;
      const sums = COLUMNS.map((column) => [column, plus(before[column], lines[column], part)]);
      found.set(home.region.startAddress, { ...home, counts: Object.fromEntries(sums) as Counts });
    }
  }
  return [...found.values()]
    .filter(({ counts }) => COLUMNS.some((column) => counts[column][1] > 0))
    .map(({ region: { startAddress, sizeBytes, name, kind }, shares, counts }) => {
      return { ...{ startAddress, sizeBytes, name, kind, poolShares: shares }, ...counts };
    });
}
