// A page policy as text: `migration=tpp`, `allocation=interleave(dram:3,cxl0:1),far-cache=lru:64MiB,page-size=2M,budget=128`. A word
// alone is a migration or an allocation by name.

import { InputError } from "../core/errors.js";
import type { PagePolicy } from "../core/pages.js";
import type { Topology } from "../core/topology.js";
import { ALLOCATIONS, DEFAULT_POLICY, entryOf, FAR_CACHES, MIGRATIONS, PAGE_SIZES } from "./policies.js";

/** Numbers of a policy with their keys and ranges. */
const NUMBERS: Readonly<Record<string, readonly [field: keyof PagePolicy, least: number, most: number]>> = {
  budget: ["budget", 0, 512],
  hot: ["hotLines", 0, 1e12],
  cold: ["coldLines", 0, 1e12],
  clear: ["clearEpochs", 0, 1e9],
  age: ["ageEpochs", 0, 1e9],
  hits: ["localityLines", 0, 1e12],
  tolerance: ["tolerance", 0, 1],
  watermark: ["watermark", 0, 1],
  "fault-ns": ["faultNs", 0, 1e9],
};
const KEYS = ["allocation", "migration", "far-cache", "page-size", ...Object.keys(NUMBERS)];
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

type Fields = { -readonly [K in keyof PagePolicy]?: PagePolicy[K] };

function fail(text: string, problem: string, remedy: string): never {
  throw new InputError("--policy", text, problem, remedy);
}

/** `name` or `name(POOL:WEIGHT,...)` */
function allocation(text: string, value: string, { pools }: Topology): Fields {
  const match = /^([\w-]+)(?:\((.*)\))?$/.exec(value);
  const { name } = entryOf(ALLOCATIONS, "allocation", match?.[1] ?? value);
  if (match?.[2] === undefined) return { allocation: name, weights: pools.map(() => 1) };
  const weights = new Map(
    match[2].split(",").map((item): [string, number] => {
      const [pool = "", weight = ""] = item.split(":").map((part) => part.trim());
      if (!pools.some((one) => one.name === pool))
        fail(text, `there is no pool ${pool}`, `Pools: ${pools.map((p) => p.name).join(", ")}.`);
      if (!(Number(weight) >= 0) || weight === "")
        fail(text, `${weight || "nothing"} is no weight`, "Write POOL:NUMBER.");
      return [pool, Number(weight)];
    }),
  );
  return { allocation: name, weights: pools.map((pool) => weights.get(pool.name) ?? 0) };
}

/** `lru:64MiB` */
function farCache(text: string, value: string): Fields {
  const [name = "", size = ""] = value.split(":");
  const { name: known } = entryOf(FAR_CACHES, "far-cache", name);
  if (known === "none") return { farCache: known, farCacheBytes: 0 };
  const match = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB)$/.exec(size);
  if (!match) fail(text, `${size || "nothing"} is no size of the near cache`, "Write for example far-cache=lru:64MiB.");
  return { farCache: known, farCacheBytes: Number(match?.[1]) * (UNITS[match?.[2] ?? ""] as number) };
}

function setting(text: string, key: string, value: string, topology: Topology): Fields {
  const number = NUMBERS[key];
  if (number) {
    const [field, least, most] = number;
    const parsed = Number(value);
    if (value === "" || !(parsed >= least && parsed <= most))
      fail(text, `${key} is ${value || "empty"}`, `Give ${least} to ${most}.`);
    return { [field]: parsed };
  }
  if (key === "allocation") return allocation(text, value, topology);
  if (key === "migration") return { migration: entryOf(MIGRATIONS, "migration", value).name };
  if (key === "far-cache") return farCache(text, value);
  if (key === "page-size") return { pageSize: entryOf(PAGE_SIZES, "page-size", value).name };
  return fail(text, `${key} is unknown`, `Known: ${KEYS.join(", ")}.`);
}

/** A word alone names a migration or, before all others, an allocation. */
function word(text: string, name: string, topology: Topology): Fields {
  const isAllocation = ALLOCATIONS.some((entry) => name === entry.name || name.startsWith(`${entry.name}(`));
  return setting(text, isAllocation ? "allocation" : "migration", name, topology);
}

/** Parses a policy for a topology. Throws InputError for unknown names and figures out of range. */
export function parsePolicy(text: string, topology: Topology): PagePolicy {
  const items = text.split(/,(?![^(]*\))/).map((item) => item.trim());
  const weights = topology.pools.map(() => 1);
  const fields = items.map((item) => {
    const match = /^([\w-]+)=(.*)$/.exec(item);
    return match ? setting(text, match[1] as string, match[2] as string, topology) : word(text, item, topology);
  });
  return Object.assign({ ...DEFAULT_POLICY, weights }, ...fields) as PagePolicy;
}
