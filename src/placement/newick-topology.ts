// From a parsed Newick tree to a topology. CXLMemSim's figures are whole latencies seen from its host: the adder is what they
// have over its DRAM latency. Its defaults stand where a vector is missing: 200 and 250 ns, 50 GB/s, 20 GB, DRAM 110 ns.
// Its switches cost nothing; `switch 80,59.3` gives them ns and GB/s.

import { InputError } from "../core/errors.js";
import type { Edge, FarPool, Sourced, Topology } from "../core/topology.js";
import { GIB } from "../core/units.js";
import type { Newick, NewickNode } from "./newick.js";

const MAX_POOLS = 15;
const DEFAULT_NOTE = "CXLMemSim's default";

interface Figures {
  readonly latencyNs: readonly [read: number, write: number];
  readonly bandwidthGBps: readonly [read: number, write: number];
  readonly capacityBytes: number;
}

function figuresOf(source: string, { vectors }: Newick, node: Exclude<NewickNode, { kind: "switch" }>): Figures {
  if (node.kind === "remote") return { latencyNs: [100, 100], bandwidthGBps: [25, 25], capacityBytes: 1e9 };
  const i = node.index - 1;
  const pair = (name: "latency" | "bandwidth", missing: readonly [number, number]): readonly [number, number] => {
    const list = vectors[name];
    if (!list) return missing;
    const [read, write] = [list[2 * i], list[2 * i + 1]];
    if (read !== undefined && write !== undefined) return [read, write];
    const problem = `endpoint ${node.index} has no read and write value`;
    throw new InputError(source, `${name}[${2 * i}]`, problem, "Give two numbers an endpoint.");
  };
  if (node.index < 1) throw new InputError(source, `endpoint ${node.index}`, "is no number from 1 on", "Count from 1.");
  const capacity = vectors.capacity ? vectors.capacity[node.index] : 20;
  if (capacity === undefined || !(capacity > 0)) {
    const problem = `endpoint ${node.index} has no capacity`;
    throw new InputError(source, `capacity[${node.index}]`, problem, "Give GB, local memory first.");
  }
  const bandwidthGBps = pair("bandwidth", [50, 50]);
  if (!(bandwidthGBps[0] > 0 && bandwidthGBps[1] > 0)) {
    throw new InputError(source, `bandwidth[${2 * i}]`, "must be above 0", "Give GB/s.");
  }
  return { latencyNs: pair("latency", [200, 250]), bandwidthGBps, capacityBytes: capacity * 1e9 };
}

class Builder {
  readonly pools: FarPool[] = [];
  readonly edges: Edge[] = [];

  constructor(
    readonly source: string,
    readonly newick: Newick,
  ) {}

  #endpoint(node: Exclude<NewickNode, { kind: "switch" }>, path: readonly string[]): number {
    const name = node.kind === "remote" ? `remote${node.node}.${node.expander}` : `cxl${node.index}`;
    const known = this.pools.some((pool) => pool.name === name);
    if (known) throw new InputError(this.source, name, "stands twice", "An endpoint hangs on one switch.");
    if (this.pools.length >= MAX_POOLS) {
      throw new InputError(this.source, name, `is more than ${MAX_POOLS} endpoints`, "Leave some out.");
    }
    const { latencyNs, bandwidthGBps, capacityBytes } = figuresOf(this.source, this.newick, node);
    const dramNs = this.newick.vectors.dram?.[0] ?? 110;
    const [readGBps, writeGBps] = bandwidthGBps;
    this.pools.push({
      ...{ kind: "far", name, path, capacityBytes, curve: [], queueNs: 0, readGBps, writeGBps },
      readAdderNs: Math.max(0, latencyNs[0] - dramNs),
      writeAdderNs: Math.max(0, latencyNs[1] - dramNs),
      mixedGBps: 2 / (1 / readGBps + 1 / writeGBps),
    });
    return Math.max(readGBps, writeGBps);
  }

  /** Adds a node; GB/s of all endpoints below it. */
  add(node: NewickNode, path: readonly string[]): number {
    if (node.kind !== "switch") return this.#endpoint(node, path);
    if (node.children.length === 0) return 0;
    const isRoot = node === this.newick.root;
    const name = `switch${this.edges.length + 1}`;
    const at = this.edges.length;
    const [latencyNs = 0, limit = 0] = this.newick.vectors.switch ?? [];
    if (!isRoot) this.edges.push({ name, latencyNs, bandwidthGBps: 1 });
    const below = isRoot ? path : [...path, name];
    const sum = node.children.reduce((total, child) => total + this.add(child, below), 0);
    if (!isRoot) this.edges[at] = { name, latencyNs, bandwidthGBps: limit > 0 ? limit : Math.max(sum, 1e-3) };
    return sum;
  }
}

/** The topology of a tree under a name; its weights lie interleaved over all endpoints. Throws InputError where vectors are too short. */
export function newickTopology(source: string, name: string, newick: Newick): Topology {
  const builder = new Builder(source, newick);
  builder.add(newick.root, []);
  const localGB = newick.vectors.capacity?.[0] ?? 0;
  const capacityBytes = localGB > 0 ? localGB * 1e9 : 64 * GIB;
  const assumed = (value: number): Sourced => ({ value, source: "assumed", note: `${source}, or ${DEFAULT_NOTE}` });
  const origins = builder.pools.flatMap((pool, i) =>
    (["readAdderNs", "writeAdderNs", "readGBps", "mixedGBps", "writeGBps", "capacityBytes"] as const).map(
      (field): [string, Sourced] => [`pools[${i + 1}].${field}`, assumed(pool[field])],
    ),
  );
  const names = builder.pools.map((pool) => pool.name);
  return {
    schemaVersion: 1,
    name,
    description: `Newick tree of ${names.length} endpoints`,
    pools: [{ kind: "local", name: "dram", capacityBytes }, ...builder.pools],
    edges: builder.edges,
    defaultPlacement: [
      names.length === 1 ? `weights=${names[0]}` : `weights=interleave(${names.map((name) => `${name}:1`).join(",")})`,
    ],
    origins: Object.fromEntries(origins),
  };
}
