// Resolves placement rules against a tensor table and a topology: the home of every tensor, and whether the pools can
// hold what lies in them.

import { InputError } from "../core/errors.js";
import { type TensorSpec, tensorBytes } from "../core/op.js";
import type { InterleaveSet, PlacedTensors, Placement, PlacementRule, TensorHome, Topology } from "../core/topology.js";
import { parsePlacement } from "./rules.js";

const SHARE_TOLERANCE = 1e-9;

function selects(select: PlacementRule["select"], spec: TensorSpec): boolean {
  const kind = spec.class === "input" ? "activations" : spec.class;
  if (select.class !== undefined && select.class !== "all" && select.class !== kind) return false;
  if (select.part !== undefined && select.part !== spec.part) return false;
  if (select.layers === undefined) return true;
  return spec.layer >= select.layers[0] && spec.layer <= select.layers[1];
}

/** A rule's home. Throws InputError for unknown pools and shares that do not sum to 1. */
function homeOfRule(topology: Topology, rule: PlacementRule, text: string): TensorHome {
  const names = topology.pools.map((pool) => pool.name);
  for (const [pool, share] of Object.entries(rule.pools)) {
    if (!names.includes(pool)) {
      const problem = `topology ${topology.name} has no pool ${pool}`;
      throw new InputError("--placement", text, problem, `Its pools are: ${names.join(", ")}.`);
    }
    if (!(share >= 0))
      throw new InputError("--placement", text, `the share of ${pool} is ${share}`, "Shares are 0 to 1.");
  }
  const shares = names.map((name) => rule.pools[name] ?? 0);
  const sum = shares.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > SHARE_TOLERANCE) {
    throw new InputError("--placement", text, `the shares sum to ${sum}, not to 1`, "Use interleave(...) for ratios.");
  }
  const interleaved = rule.interleaved && shares.filter((share) => share > 0).length > 1;
  return rule.prefetched ? { shares, interleaved, prefetched: true } : { shares, interleaved };
}

/** Tensors of that many rounds of granules or more are spread evenly; smaller ones by whole granules. */
const EVEN_ROUNDS = 16;

/** Share of each pool in a tensor of `bytes` that an interleave set holds, the first granule in the set's first pool. */
export function interleaveShares(topology: Topology, set: InterleaveSet, bytes: number): number[] {
  const { granularityBytes, pools } = set;
  const ways = pools.length;
  const rounds = Math.floor(bytes / (granularityBytes * ways));
  const rest = bytes - rounds * granularityBytes * ways;
  return topology.pools.map(({ name }) => {
    const way = pools.indexOf(name);
    if (way < 0) return 0;
    if (rounds >= EVEN_ROUNDS || bytes === 0) return 1 / ways;
    const last = Math.min(granularityBytes, Math.max(0, rest - way * granularityBytes));
    return (rounds * granularityBytes + last) / bytes;
  });
}

/** Appends a home unless it is there; its index. */
function homeIndex(homes: TensorHome[], shares: readonly number[]): number {
  const interleaved = shares.filter((share) => share > 0).length > 1;
  const same = (home: TensorHome) => home.interleaved === interleaved && home.shares.every((x, i) => x === shares[i]);
  const known = homes.findIndex(same);
  return known >= 0 ? known : homes.push({ shares, interleaved }) - 1;
}

function checkCapacity(topology: Topology, rules: readonly string[], placedBytes: readonly number[]): void {
  topology.pools.forEach((pool, i) => {
    if (placedBytes[i] <= pool.capacityBytes) return;
    const problem = `pool ${pool.name} holds ${pool.capacityBytes} bytes, but ${Math.ceil(placedBytes[i])} are placed there`;
    const remedy = "Place less there, or give the pool more capacityBytes.";
    throw new InputError(`topology ${topology.name}`, rules.join(" ") || "default placement", problem, remedy);
  });
}

/** As `placeTensors`, for rules that are already parsed; `texts` names them in messages. */
export function resolvePlacement(
  topology: Topology,
  specs: readonly TensorSpec[],
  placement: Placement,
  texts: readonly string[],
): PlacedTensors {
  const local: TensorHome = { shares: topology.pools.map((_, i) => (i === 0 ? 1 : 0)), interleaved: false };
  const sets = placement.map(({ pools }) => topology.interleaveSets?.find(({ name }) => name in pools));
  const homes = [local, ...placement.map((rule, i) => (sets[i] ? local : homeOfRule(topology, rule, texts[i])))];
  const homeOf = specs.map((spec) => {
    const rule = placement.findLastIndex(({ select }) => selects(select, spec));
    const set = sets[rule];
    return set ? homeIndex(homes, interleaveShares(topology, set, tensorBytes(spec))) : rule + 1;
  });
  const placedBytes = topology.pools.map((_, pool) =>
    specs.reduce((sum, spec, id) => sum + tensorBytes(spec) * homes[homeOf[id]].shares[pool], 0),
  );
  checkCapacity(topology, texts, placedBytes);
  return { topology, rules: texts, homes, homeOf, placedBytes };
}

/**
 * Where each tensor lives under rules as text; no rules = the topology's default placement. A topology of one pool
 * (`local`) holds everything there whatever the rules say, so that one scenario's rules serve all its topologies.
 * Throws InputError: unknown class or pool, shares off 1, a pool too small for what is placed there.
 */
export function placeTensors(
  topology: Topology,
  specs: readonly TensorSpec[],
  rules: readonly string[],
): PlacedTensors {
  if (rules.length > 0) return placeWith(topology, specs, rules);
  try {
    return placeWith(topology, specs, topology.defaultPlacement);
  } catch (error) {
    if (!(error instanceof InputError) || error.source !== "--placement") throw error;
    const field = `defaultPlacement: ${error.field}`;
    throw new InputError(`topology ${topology.name}`, field, error.problem, error.remedy);
  }
}

function placeWith(topology: Topology, specs: readonly TensorSpec[], asked: readonly string[]): PlacedTensors {
  const parsed = parsePlacement(asked);
  if (topology.pools.length === 1) return resolvePlacement(topology, specs, [], []);
  return resolvePlacement(topology, specs, parsed, asked);
}
