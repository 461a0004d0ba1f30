// Reads what the plugin writes (docs/emulated.md): mappings, and epochs of one thread with the lines of each chunk of addresses.

import type { CountedEpoch, RegionLines, Span } from "../../core/counters.js";
import type { Region } from "../../core/regions.js";

/** Numbers of a chunk and size: stream, stride, irregular, written back, fetched for stores. */
const SIZE_NUMBERS = 5;
const NOMINAL = 1;
const LARGE = 2;

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

type Chunk = readonly number[];

interface EpochLine {
  readonly thread: number;
  readonly instructions: number;
  readonly l1Misses: number;
  readonly chunks: readonly Chunk[];
}

type Line =
  | { readonly epoch: number }
  | { readonly map: number; readonly bytes: number; readonly name: string }
  | { readonly unmap: number; readonly bytes: number }
  | { readonly exec: number }
  /** The exec before it found no program. */
  | { readonly stayed: number }
  | { readonly kind: "emulated"; readonly chunkBytes: number; readonly sampled: number };

/** One process of the watched program. */
export interface ProcessState {
  chunkBytes: number;
  sampled: number;
  /** Later mappings cover earlier ones. */
  mappings: Mapping[];
  /** All that ever were, the latest of each address; for the placement, which is decided at the end. */
  everMapped: Mapping[];
  /** Programs that went on without an emulator. */
  execs: number;
  broken: number;
}

export function newProcess(): ProcessState {
  return { chunkBytes: 0, sampled: 1, mappings: [], everMapped: [], execs: 0, broken: 0 };
}

/** What is left of the mappings beside start..end. */
function without(mappings: readonly Mapping[], start: number, end: number): Mapping[] {
  return mappings.flatMap((m) => {
    if (m.end <= start || m.start >= end) return [m];
    const before = m.start < start ? [{ ...m, end: start }] : [];
    const after = m.end > end ? [{ ...m, start: end }] : [];
    return [...before, ...after];
  });
}

/** The name that covers most of a chunk. */
function nameOf(mappings: readonly Mapping[], start: number, bytes: number): string {
  let most = 0;
  let name = "";
  for (const m of mappings) {
    const covered = Math.min(m.end, start + bytes) - Math.max(m.start, start);
    if (covered > most) {
      most = covered;
      name = m.name;
    }
  }
  return name;
}

/** Column of a chunk from the large cache (fewest misses) to the small one (most), times the sampled share. */
function span(chunk: Chunk, column: number, sampled: number): Span {
  return [(chunk[1 + LARGE * SIZE_NUMBERS + column] ?? 0) * sampled, (chunk[1 + column] ?? 0) * sampled];
}

function regionOf(chunk: Chunk, { mappings, chunkBytes, sampled }: ProcessState): RegionLines {
  const startAddress = (chunk[0] as number) * chunkBytes;
  return {
    startAddress,
    sizeBytes: chunkBytes,
    name: nameOf(mappings, startAddress, chunkBytes),
    streamLines: span(chunk, 0, sampled),
    strideLines: span(chunk, 1, sampled),
    irregularLines: span(chunk, 2, sampled),
    writtenLines: span(chunk, 3, sampled),
  };
}

/** A column summed over the chunks, for the cache of the asked size. */
function total(chunks: readonly Chunk[], columns: readonly number[], sampled: number): number {
  const at = 1 + NOMINAL * SIZE_NUMBERS;
  return (
    chunks.reduce((sum, chunk) => columns.reduce((all, column) => all + (chunk[at + column] ?? 0), sum), 0) * sampled
  );
}

function epochOf(line: EpochLine, process: ProcessState): CountedEpoch {
  const { chunks, instructions, l1Misses, thread } = line;
  const { sampled } = process;
  const counters = {
    instructions,
    l1Misses,
    llcMisses: total(chunks, [0, 1, 2], sampled),
    llcStoreMisses: total(chunks, [4], sampled),
    llcWriteBacks: total(chunks, [3], sampled),
  };
  return {
    nativeNs: null,
    // The emulator's time on the core says nothing: until a native run gives the real one, an instruction stands for 1 ns.
    threads: [{ tid: thread, onCpuNs: instructions }],
    counters,
    regions: chunks.map((chunk) => regionOf(chunk, process)),
    runningShare: 1 / sampled,
    lost: 0,
  };
}

function parsed(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Line) : null;
  } catch {
    return null;
  }
}

/** Takes one line in; gives the epoch that it tells of, if it does. */
export function takeLine(process: ProcessState, text: string): CountedEpoch | null {
  const line = parsed(text);
  if (line === null) {
    process.broken++;
    return null;
  }
  if ("epoch" in line) return epochOf(line as unknown as EpochLine, process);
  if ("map" in line) {
    const end = line.map + line.bytes;
    const mapping = { start: line.map, end, name: line.name };
    process.mappings = [...without(process.mappings, line.map, end), mapping];
    process.everMapped = [...without(process.everMapped, line.map, end), mapping];
  } else if ("unmap" in line) process.mappings = without(process.mappings, line.unmap, line.unmap + line.bytes);
  else if ("exec" in line) process.execs++;
  else if ("stayed" in line) process.execs--;
  else {
    process.chunkBytes = line.chunkBytes;
    process.sampled = line.sampled;
  }
  return null;
}

/** Mappings as regions. What is in memory of them is not told, and files are taken to be read only. */
export function regionsOf({ everMapped }: ProcessState): Region[] {
  return everMapped.map(({ start, end, name }) => {
    const kind = name === "" ? "anon" : name === "[heap]" ? "heap" : name === "[stack]" ? "stack" : "file";
    const sizeBytes = end - start;
    return { startAddress: start, sizeBytes, residentBytes: sizeBytes, name, kind, writable: kind !== "file" };
  });
}
