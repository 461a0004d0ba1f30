// Where the regions of a watched program would live: `heap=cxl0`, `size>=64MiB=cxl0`, `name:libfoo=dram`, `all=interleave(dram:3,cxl0:1)`,
// or one policy for all of them: `first-fit`, `hot-first`, `interleave(dram:3,cxl0:1)`. Later rules win.

import { InputError } from "../core/errors.js";
import type { PlacedRegion, Region, RegionPlacer } from "../core/regions.js";
import type { Topology } from "../core/topology.js";
import { KIB } from "../core/units.js";

const SYNTAX =
  "Write SELECTOR=POOL or SELECTOR=interleave(POOL:WEIGHT,...); a selector is all, heap, stack, anon, file, name:TEXT, size>=BYTES or " +
  "size<BYTES. Or one policy: first-fit, hot-first (both with --near BYTES), interleave(POOL:WEIGHT,...).";

interface Rule {
  readonly selects: (region: Region) => boolean;
  readonly shares: readonly number[];
}

const bad = (text: string, problem: string) => new InputError("--place", text, problem, SYNTAX);

function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)(?:iB|B)?$/i.exec(text);
  if (!match) throw bad(text, "is no size");
  const power = { "": 0, K: 1, M: 2, G: 3 }[(match[2] as string).toUpperCase() as "" | "K" | "M" | "G"];
  return Number(match[1]) * KIB ** power;
}

function selector(text: string, rule: string): Rule["selects"] {
  const size = /^size(>=|<)(.+)$/.exec(text);
  if (size) {
    const bytes = bytesOf(size[2] as string);
    return size[1] === "<" ? ({ sizeBytes }) => sizeBytes < bytes : ({ sizeBytes }) => sizeBytes >= bytes;
  }
  if (text.startsWith("name:") && text.length > 5) return ({ name }) => name.includes(text.slice(5));
  switch (text) {
    case "all":
      return () => true;
    case "heap":
    case "stack":
    case "anon":
    case "file":
      return ({ kind }) => kind === text;
    default:
      throw bad(rule, `${text || "nothing"} selects no mapping`);
  }
}

function poolIndex(topology: Topology, name: string, rule: string): number {
  const at = topology.pools.findIndex((pool) => pool.name === name);
  if (at >= 0) return at;
  const known = topology.pools.map((pool) => pool.name).join(", ");
  throw bad(rule, `topology ${topology.name} has no pool ${name} (it has ${known})`);
}

function target(text: string, topology: Topology, rule: string): number[] {
  const shares = topology.pools.map(() => 0);
  const call = /^interleave\((.*)\)$/.exec(text);
  if (!call) {
    shares[poolIndex(topology, text, rule)] = 1;
    return shares;
  }
  for (const item of (call[1] as string).split(",")) {
    const match = /^\s*([\w.-]+)\s*:\s*(\d+(?:\.\d+)?)\s*$/.exec(item);
    if (!match) throw bad(rule, `${item.trim() || "an empty item"} is no POOL:WEIGHT`);
    shares[poolIndex(topology, match[1] as string, rule)] = Number(match[2]);
  }
  const sum = shares.reduce((a, b) => a + b, 0);
  if (sum <= 0) throw bad(rule, "all weights are 0");
  return shares.map((share) => share / sum);
}

/** Fills the pools in their order; a region that does not fit whole is cut. What fits nowhere lies in the last pool. */
function fill(regions: readonly Region[], order: readonly number[], room: readonly number[]): PlacedRegion[] {
  const left = [...room];
  const placed = new Map<number, number[]>();
  for (const at of order) {
    const region = regions[at] as Region;
    const bytes = Math.max(1, region.residentBytes);
    let rest = bytes;
    const shares = left.map((free, pool) => {
      const here = pool === left.length - 1 ? rest : Math.min(free, rest);
      left[pool] = free - here;
      rest -= here;
      return here / bytes;
    });
    placed.set(at, shares);
  }
  return regions.map((region, i) => ({ region, shares: placed.get(i) as number[] }));
}

function fitted(topology: Topology, nearBytes: number | null, hot: boolean): RegionPlacer {
  const room = topology.pools.map(({ capacityBytes }, i) =>
    i === 0 && nearBytes !== null ? Math.min(nearBytes, capacityBytes) : capacityBytes,
  );
  return (regions, heat) => {
    const density = (i: number) => (heat[i] ?? 0) / Math.max(1, (regions[i] as Region).residentBytes);
    const order = regions.map((_, i) => i);
    if (hot) order.sort((a, b) => density(b) - density(a));
    return fill(regions, order, room);
  };
}

/**
 * The placer of `--place` texts; none: everything in the first far pool (in local memory where there is none).
 * `nearBytes`: what of local memory first-fit and hot-first may fill; null = its whole capacity. Throws InputError that quotes the text.
 */
export function regionPlacer(texts: readonly string[], topology: Topology, nearBytes: number | null): RegionPlacer {
  const [only] = texts;
  if (texts.length === 1 && (only === "first-fit" || only === "hot-first")) {
    return fitted(topology, nearBytes, only === "hot-first");
  }
  const everywhere = topology.pools.map((_, i) => (i === Math.min(1, topology.pools.length - 1) ? 1 : 0));
  const rules = texts.map((text): Rule => {
    if (/^interleave\(/.test(text)) return { selects: () => true, shares: target(text, topology, text) };
    const equals = text.lastIndexOf("=");
    if (equals <= 0 || text === "first-fit" || text === "hot-first") {
      throw bad(text, equals <= 0 && !text.includes("-f") ? "has no =" : "stands alone or not at all");
    }
    return {
      selects: selector(text.slice(0, equals).trim(), text),
      shares: target(text.slice(equals + 1).trim(), topology, text),
    };
  });
  return (regions) =>
    regions.map((region) => ({
      region,
      shares: rules.findLast(({ selects }) => selects(region))?.shares ?? everywhere,
    }));
}
