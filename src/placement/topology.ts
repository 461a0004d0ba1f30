// Loads topologies and the frozen host profile: profile files of the package by name, or a user's own file by path.
// What comes out is checked and flat; each figure's origin stays beside it.

import { InputError } from "../core/errors.js";
import { type HostProfile, type MixBandwidth, sealProfile } from "../core/host.js";
import type { Platform } from "../core/ports.js";
import type { FarPool, Pool, Sourced, Topology } from "../core/topology.js";
import { type DeviceFields, DeviceFile, HostFile, parseFile, type TopologyFields, TopologyFile } from "./schema.js";

type Files = Pick<Platform, "readText" | "packagePath">;

/** Topologies of the package. */
export const SHIPPED_TOPOLOGIES = ["local", "cxl-1hop", "cxl-switch", "cxl-remote"] as const;
const SHIPPED_DEVICES = ["a1000", "a1000-remote"];

type Device = Omit<DeviceFields, "schemaVersion" | "name" | "description" | "credit">;

async function read(files: Files, kind: string, folder: string, shipped: readonly string[], asked: string) {
  if (shipped.includes(asked)) {
    const source = files.packagePath(`profiles/${folder}/${asked}.json`);
    return { source, text: await files.readText(source) };
  }
  if (!/[/\\]|\.json$/.test(asked)) {
    const remedy = `Use ${shipped.join(", ")} or the path of a JSON file.`;
    throw new InputError(asked, "", `is no shipped ${kind}`, remedy);
  }
  try {
    return { source: asked, text: await files.readText(asked) };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(asked, "", `cannot be read (${(error as Error).message})`, `Give the path of a ${kind} file.`);
  }
}

/** More bytes must never take less time: equal parts of reads and writes move at most twice as fast as one kind alone. */
function checkMix(source: string, at: string, mix: MixBandwidth): void {
  if (mix.mixedGBps <= 2 * Math.min(mix.readGBps, mix.writeGBps)) return;
  const problem = `${mix.mixedGBps} GB/s is more than twice the rate of reads (${mix.readGBps}) or writes (${mix.writeGBps}) alone`;
  throw new InputError(source, `${at}mixedGBps`, problem, "A link moves each direction at most at its own full rate.");
}

function farPool(name: string, path: readonly string[], device: Device): FarPool {
  return {
    kind: "far",
    name,
    path,
    capacityBytes: device.capacityBytes.value,
    readAdderNs: device.readAdderNs.value,
    writeAdderNs: device.writeAdderNs.value,
    readGBps: device.readGBps.value,
    mixedGBps: device.mixedGBps.value,
    writeGBps: device.writeGBps.value,
    queueNs: device.queueNs.value,
    curve: device.curve.points.map(([bandwidthGBps, addedNs]) => ({ bandwidthGBps, addedNs })),
  };
}

/** Figures of an object by path, the peak standing for a curve. */
function origins(at: string, fields: object): [string, Sourced][] {
  return Object.entries(fields).flatMap(([key, field]): [string, Sourced][] => {
    if (typeof field !== "object" || field === null || !("source" in field)) return [];
    if ("points" in field) return [[`${at}.${key}`, { ...field, value: field.points.at(-1)?.[0] ?? 0 }]];
    return [[`${at}.${key}`, field as Sourced]];
  });
}

async function resolvePool(files: Files, source: string, index: number, fields: TopologyFields["pools"][number]) {
  const at = `pools[${index}]`;
  if (fields.kind === "local") {
    const pool: Pool = { kind: "local", name: fields.name, capacityBytes: fields.capacityBytes.value };
    return { pool, origins: origins(at, fields) };
  }
  let device: Device;
  if ("device" in fields) {
    const file = await read(files, "device", "devices", SHIPPED_DEVICES, fields.device);
    const shipped = parseFile(DeviceFile, file.source, file.text);
    device = { ...shipped, capacityBytes: fields.capacityBytes ?? shipped.capacityBytes };
  } else device = fields;
  const pool = farPool(fields.name, fields.path, device);
  checkMix(source, `${at}.`, pool);
  return { pool, origins: origins(at, device) };
}

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

/**
 * A topology by shipped name or path of a file. Throws InputError with the path of the field for everything that is wrong
 * with it.
 */
export async function loadTopology(files: Files, nameOrPath: string): Promise<Topology> {
  const { source, text } = await read(files, "topology", "topologies", SHIPPED_TOPOLOGIES, nameOrPath);
  const fields = parseFile(TopologyFile, source, text);
  const pools = await Promise.all(fields.pools.map((pool, i) => resolvePool(files, source, i, pool)));
  const topology: Topology = {
    schemaVersion: 1,
    name: fields.name,
    description: fields.description,
    pools: pools.map(({ pool }) => pool),
    edges: fields.edges.map((edge) => ({
      name: edge.name,
      latencyNs: edge.latencyNs.value,
      bandwidthGBps: edge.bandwidthGBps.value,
    })),
    defaultPlacement: fields.defaultPlacement,
    origins: Object.fromEntries([
      ...pools.flatMap((pool) => pool.origins),
      ...fields.edges.flatMap((edge, i) => origins(`edges[${i}]`, edge)),
    ]),
  };
  checkNames(source, topology);
  return topology;
}

/** A host profile from a file of the format of `profiles/host-default.json`. */
export function parseHostProfile(source: string, text: string): HostProfile {
  const file = parseFile(HostFile, source, text);
  checkMix(source, "", {
    readGBps: file.readGBps.value,
    mixedGBps: file.mixedGBps.value,
    writeGBps: file.writeGBps.value,
  });
  const values = <K extends string>(fields: Record<K, Sourced>) =>
    Object.fromEntries(Object.entries<Sourced>(fields).map(([key, { value }]) => [key, value])) as Record<K, number>;
  return sealProfile({
    name: file.name,
    idleNs: file.idleNs.value,
    readGBps: file.readGBps.value,
    mixedGBps: file.mixedGBps.value,
    writeGBps: file.writeGBps.value,
    queueNs: file.queueNs.value,
    curve: file.curve.points.map(([bandwidthGBps, addedNs]) => ({ bandwidthGBps, addedNs })),
    llcBytes: file.llcBytes.value,
    linesInFlight: values(file.linesInFlight),
    computeRates: values(file.computeRates),
    source: "assumed",
  });
}

/** The frozen profile of the package: the host of every *modelled* figure, the same on all machines. */
export async function loadDefaultHost(files: Files): Promise<HostProfile> {
  const source = files.packagePath("profiles/host-default.json");
  return parseHostProfile(source, await files.readText(source));
}
