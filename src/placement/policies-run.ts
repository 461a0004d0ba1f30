// Runs a page trace under a policy: the page machine of build/memory.wasm says where the lines go and what moves, the handed-in
// solver says how long that takes.

import { InputError } from "../core/errors.js";
import type { PageEpoch, PageEpochResult, PagePolicy, PageRun, PageTrace } from "../core/pages.js";
import type { Topology } from "../core/topology.js";
import { LINE_BYTES } from "../core/units.js";
import { entryOf, PAGE_SIZES, policyNumbers } from "./policies.js";

/** The page machine's exports (docs/policies.md). */
export interface PageMachine {
  readonly memory: WebAssembly.Memory;
  pageParamsAt(): number;
  pagePoolsAt(): number;
  touchesAt(): number;
  maxTouches(): number;
  linesAt(): number;
  movesAt(): number;
  configurePages(pages: number, pools: number): number;
  touchPages(count: number): number;
  beginEpoch(): void;
  endEpoch(): number;
  placeOracle(): number;
  translationNs(lines: number): number;
  poolOfPage(page: number): number;
}

/** How a trace's lines wait: what the delay model calls the pattern. */
export type PagePattern = "chase" | "stride" | "stream";

export interface PageParts {
  readonly machine: PageMachine;
  /** Solved ns of stages [compute ns, (chase, stride, stream, written) x pools] on the topology. */
  readonly solve: (stages: readonly (readonly number[])[]) => number;
  /** Loaded latency of a pool at a load of this host. */
  readonly loadedNs: (pool: number, readGBps: number, writtenGBps: number) => number;
  readonly topology: Topology;
  /** Local read latency; pools add their adders and the latency of their edges. */
  readonly idleNs: number;
  readonly pattern: PagePattern;
}

/** f64 of a pool and of its lines in the machine. */
const POOL_NUMBERS = 8;
const LINE_COLUMNS = 6;
const TOUCH_NUMBERS = 3;

interface EpochLines {
  /** [pools] */
  readonly read: readonly number[];
  readonly written: readonly number[];
  /** Moves and fills, on both sides. */
  readonly movedRead: readonly number[];
  readonly movedWritten: readonly number[];
}

function poolRows({ topology, idleNs }: PageParts, policy: PagePolicy): number[] {
  const { bytes } = entryOf(PAGE_SIZES, "pageSize", policy.pageSize);
  return topology.pools.flatMap((pool, i) => {
    // Copies of far pages take their room from near memory.
    const capacity = Math.floor((pool.capacityBytes - (i === 0 ? policy.farCacheBytes : 0)) / bytes);
    if (capacity < 1) {
      throw new InputError(`topology ${topology.name}`, `pools[${i}].capacityBytes`, "holds no page", "Give it more.");
    }
    const far = pool.kind === "far";
    const path = far ? topology.edges.filter(({ name }) => pool.path.includes(name)) : [];
    const edges = path.reduce((sum, { latencyNs }) => sum + latencyNs, 0);
    const ns = [idleNs + edges + (far ? pool.readAdderNs : 0), idleNs + edges + (far ? pool.writeAdderNs : 0)];
    return [capacity, ...ns, policy.weights[i] ?? 1, ns[0], 0, 0, 0];
  });
}

function configure(parts: PageParts, policy: PagePolicy, pages: number): void {
  const { machine, topology } = parts;
  const write = (at: number, numbers: readonly number[]) =>
    new Float64Array(machine.memory.buffer, at, numbers.length).set(numbers);
  write(machine.pageParamsAt(), policyNumbers(policy));
  write(machine.pagePoolsAt(), poolRows(parts, policy));
  const code = machine.configurePages(pages, topology.pools.length);
  if (code !== 0) {
    throw new InputError(
      "trace",
      "pages",
      `${pages} pages in ${topology.pools.length} pools do not fit`,
      "Cut the trace.",
    );
  }
}

/** Hands an epoch's touches over in chunks. */
function touch({ machine, topology }: PageParts, { pages }: PageEpoch, index: number): void {
  const chunk = machine.maxTouches();
  for (let first = 0; first < pages.length; first += chunk) {
    const part = pages.slice(first, first + chunk);
    new Float64Array(machine.memory.buffer, machine.touchesAt(), part.length * TOUCH_NUMBERS).set(part.flat());
    const code = machine.touchPages(part.length);
    if (code === 1)
      throw new InputError("trace", `epochs[${index}].pages`, "a page is out of range", "Pages count from 0.");
    if (code === 2) {
      throw new InputError(
        `topology ${topology.name}`,
        "pools",
        "no pool has room for another page",
        "Give them more capacityBytes.",
      );
    }
  }
}

function linesOf({ machine, topology }: PageParts): EpochLines {
  const pools = topology.pools.length;
  const table = new Float64Array(machine.memory.buffer, machine.linesAt(), pools * LINE_COLUMNS);
  const column = (...indices: number[]) =>
    topology.pools.map((_, pool) => indices.reduce((sum, i) => sum + (table[pool * LINE_COLUMNS + i] as number), 0));
  return { read: column(0), written: column(1), movedRead: column(2, 4), movedWritten: column(3, 5) };
}

/** A stage whose reads follow one pattern. */
function stage(computeNs: number, pattern: PagePattern, read: readonly number[], written: readonly number[]): number[] {
  const kinds = (lines: number) =>
    (["chase", "stride", "stream"] as const).map((kind) => (kind === pattern ? lines : 0));
  // A written line was read for ownership first.
  return [
    computeNs,
    ...read.flatMap((lines, pool) => [...kinds(lines + (written[pool] as number)), written[pool] as number]),
  ];
}

/** Tells the machine each pool's loaded latency at this epoch's load. */
function tellLatencies({ machine, loadedNs, topology }: PageParts, { read, written }: EpochLines, ns: number): void {
  const pools = new Float64Array(machine.memory.buffer, machine.pagePoolsAt(), topology.pools.length * POOL_NUMBERS);
  topology.pools.forEach((_, pool) => {
    const gbps = (lines: number) => (lines * LINE_BYTES) / ns;
    pools[pool * POOL_NUMBERS + 4] = loadedNs(pool, gbps(read[pool] as number), gbps(written[pool] as number));
  });
}

function runEpoch(parts: PageParts, policy: PagePolicy, epoch: PageEpoch, index: number): PageEpochResult {
  const { machine, solve, pattern } = parts;
  machine.beginEpoch();
  touch(parts, epoch, index);
  const own = linesOf(parts);
  const programNs = solve([stage(epoch.nativeNs, pattern, own.read, own.written)]);
  const lines = own.read.reduce((a, b) => a + b, 0) + own.written.reduce((a, b) => a + b, 0);
  const translationNs = pattern === "stream" ? 0 : machine.translationNs(lines);
  tellLatencies(parts, own, Math.max(1, programNs));
  const moves = machine.endEpoch();
  const { movedRead, movedWritten } = linesOf(parts);
  const still = [...movedRead, ...movedWritten].every((count) => count === 0);
  // Moves stream; their stores bypass the cache, so nothing is read for ownership.
  const copy = [0, ...movedRead.flatMap((read, pool) => [0, 0, read, movedWritten[pool] as number])];
  return { programNs, moveNs: still ? 0 : solve([copy]) + moves * policy.faultNs, translationNs, moves };
}

function runTrace(parts: PageParts, policy: PagePolicy, { pageCount, epochs }: PageTrace): PageEpochResult[] {
  configure(parts, policy, pageCount);
  if (policy.migration === "oracle") {
    epochs.forEach((epoch, index) => {
      touch(parts, epoch, index);
    });
    parts.machine.placeOracle();
  }
  return epochs.map((epoch, index) => runEpoch(parts, policy, epoch, index));
}

const sum = (epochs: readonly PageEpochResult[], field: keyof PageEpochResult) =>
  epochs.reduce((total, epoch) => total + epoch[field], 0);

/** Shares of far pools that `bestShot` tries: steps of 5 %, split evenly over the far pools by their bandwidth. */
const SHARES = Array.from({ length: 20 }, (_, i) => i / 20);

/** Weights that minimise the time of the trace when its pages are interleaved by them. */
function bestShot(parts: PageParts, policy: PagePolicy, trace: PageTrace): number[] {
  const { pools } = parts.topology;
  const farGBps = pools.map((pool) => (pool.kind === "far" ? pool.readGBps : 0));
  const total = farGBps.reduce((a, b) => a + b, 0);
  const tries = SHARES.filter((far) => far === 0 || total > 0).map((far) => {
    const weights = farGBps.map((gbps, i) => (i === 0 ? 1 - far : (far * gbps) / total));
    const run = runTrace(parts, { ...policy, allocation: "interleave", migration: "none", weights }, trace);
    return { weights, ns: sum(run, "programNs") };
  });
  return tries.reduce((a, b) => (b.ns < a.ns ? b : a)).weights;
}

/** A trace under a policy. Throws InputError for unknown names, pages out of range and pools without room. */
export function runPages(parts: PageParts, policy: PagePolicy, trace: PageTrace): PageRun {
  const weights = policy.allocation === "best-shot" ? bestShot(parts, policy, trace) : policy.weights;
  const used = { ...policy, weights };
  const still = runTrace(parts, { ...used, migration: "none", farCache: "none", farCacheBytes: 0 }, trace);
  const epochs = runTrace(parts, used, trace);
  const costNs = sum(epochs, "moveNs");
  const savedNs = sum(still, "programNs") - sum(epochs, "programNs");
  return {
    ...{ policy: used, epochs, costNs, savedNs },
    totalNs: sum(epochs, "programNs") + costNs + sum(epochs, "translationNs"),
    pagesMoved: sum(epochs, "moves"),
    gainNs: savedNs - costNs,
  };
}
