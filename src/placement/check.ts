// What a schema cannot see in a topology: names that must exist and be unique, links that must form a tree, loads and
// interleave sets that must fit. Every fault names its field.

import { InputError } from "../core/errors.js";
import type { Topology } from "../core/topology.js";

function checkNames(source: string, topology: Topology): void {
  const { pools, edges } = topology;
  const names = pools.map((pool) => pool.name);
  const fail = (field: string, problem: string, remedy: string): never => {
    throw new InputError(source, field, problem, remedy);
  };
  if (pools[0].kind !== "local") fail("pools[0].kind", "is not local", "List the host's own memory first.");
  pools.forEach((pool, i) => {
    if (i > 0 && pool.kind === "local") fail(`pools[${i}].kind`, "is a second local pool", "Keep one.");
    if (names.indexOf(pool.name) < i) fail(`pools[${i}].name`, `${pool.name} stands twice`, "Rename one of the pools.");
    if (pool.kind === "local") return;
    pool.path.forEach((edge, step) => {
      const field = `pools[${i}].path[${step}]`;
      const known = edges.map((e) => e.name).join(", ") || "none";
      if (!edges.some((e) => e.name === edge)) fail(field, `edge ${edge} is not listed`, `Edges are: ${known}.`);
      if (pool.path.indexOf(edge) < step) fail(field, `the path crosses ${edge} twice`, "A path has no cycles.");
    });
  });
  edges.forEach((edge, i) => {
    const first = edges.findIndex((other) => other.name === edge.name);
    if (first < i) fail(`edges[${i}].name`, `${edge.name} stands twice`, "Rename one of the edges.");
  });
}

/** Links form a tree: whatever path an edge lies on, the same edge stands before it. This rules out cycles too. */
function checkTree(source: string, { pools }: Topology): void {
  const parents = new Map<string, string>();
  pools.forEach((pool, i) => {
    if (pool.kind === "local") return;
    pool.path.forEach((edge, step) => {
      const parent = step === 0 ? "" : (pool.path[step - 1] as string);
      const known = parents.get(edge);
      parents.set(edge, known ?? parent);
      if (known === undefined || known === parent) return;
      const stands = (name: string) => (name === "" ? "the host" : name);
      const problem = `${edge} hangs on ${stands(parent)} here and on ${stands(known)} in a path before: the links form no tree`;
      throw new InputError(source, `pools[${i}].path[${step}]`, problem, "Give every link one way to the host.");
    });
  });
}

function checkGroups(source: string, { pools, loads = [], interleaveSets = [] }: Topology): void {
  const names = pools.map((pool) => pool.name);
  const known = `Pools are: ${names.join(", ")}.`;
  loads.forEach((load, i) => {
    const pool = pools.find(({ name }) => name === load.pool);
    if (!pool) throw new InputError(source, `loads[${i}].pool`, `there is no pool ${load.pool}`, known);
    const path = pool.kind === "far" ? pool.path : [];
    const off = load.edges.findIndex((edge) => !path.includes(edge));
    if (off < 0) return;
    const problem = `${load.edges[off]} is not on the way to ${load.pool}`;
    throw new InputError(source, `loads[${i}].edges[${off}]`, problem, `Its path is: ${path.join(", ") || "empty"}.`);
  });
  interleaveSets.forEach((set, i) => {
    if (names.includes(set.name) || interleaveSets.findIndex(({ name }) => name === set.name) < i) {
      throw new InputError(source, `interleaveSets[${i}].name`, `${set.name} stands twice`, "Rename the set.");
    }
    set.pools.forEach((pool, k) => {
      const field = `interleaveSets[${i}].pools[${k}]`;
      if (!names.includes(pool)) throw new InputError(source, field, `there is no pool ${pool}`, known);
      if (set.pools.indexOf(pool) < k) throw new InputError(source, field, `${pool} stands twice`, "Name it once.");
    });
  });
}

/** Throws InputError with the path of the field for the first thing that is wrong. */
export function checkTopology(source: string, topology: Topology): void {
  checkNames(source, topology);
  checkTree(source, topology);
  checkGroups(source, topology);
}
