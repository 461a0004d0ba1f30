// Loads topologies and the frozen host profile: profile files of the package by name, or a user's own file by path.
// What comes out is checked and flat; each figure's origin stays beside it.

import { InputError } from "../core/errors.js";
import { type HostProfile, type MixBandwidth, sealProfile } from "../core/host.js";
import type { Platform } from "../core/ports.js";
import type { FarPool, Pool, Sourced, Topology } from "../core/topology.js";
import { checkTopology } from "./check.js";
import { parseNewick } from "./newick.js";
import { newickTopology } from "./newick-topology.js";
import { type DeviceFields, DeviceFile, HostFile, parseFile, type TopologyFields, TopologyFile } from "./schema.js";

type Files = Pick<Platform, "readText" | "packagePath">;

/** Topologies of the package. */
export const SHIPPED_TOPOLOGIES = ["local", "cxl-1hop", "cxl-switch", "cxl-remote"] as const;
export const SHIPPED_DEVICES = [
  "a1000",
  "a1000-remote",
  "agilex-fpga",
  "numa-ddr5",
  "local-ddr5",
  "switch-pool",
  "cxl2-x8",
  "cxl2-x16",
] as const;

type Device = Omit<DeviceFields, "schemaVersion" | "name" | "description" | "credit">;

async function read(files: Files, kind: string, folder: string, shipped: readonly string[], asked: string) {
  if (shipped.includes(asked)) {
    const source = files.packagePath(`profiles/${folder}/${asked}.json`);
    return { source, text: await files.readText(source) };
  }
  if (!/[/\\]|\.(?:json|nwk|newick)$/.test(asked)) {
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

/** Curves of a memory as data; no `mixCurves` where there are none. */
function curvesOf({
  curve,
  mixCurves,
}: Pick<DeviceFields, "curve" | "mixCurves">): Pick<FarPool, "curve" | "mixCurves"> {
  const pointsOf = (points: [number, number][]) =>
    points.map(([bandwidthGBps, addedNs]) => ({ bandwidthGBps, addedNs }));
  const mixes = mixCurves.map(({ writeShare, points }) => ({ writeShare, points: pointsOf(points) }));
  return { curve: pointsOf(curve.points), ...(mixes.length > 0 ? { mixCurves: mixes } : {}) };
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
    ...curvesOf(device),
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

/** A device's file; faults name the field of the topology that asked for it. */
async function readDevice(files: Files, source: string, field: string, asked: string) {
  try {
    return await read(files, "device", "devices", SHIPPED_DEVICES, asked);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(source, field, `${asked} ${error.problem}`, error.remedy);
  }
}

async function resolvePool(files: Files, source: string, index: number, fields: TopologyFields["pools"][number]) {
  const at = `pools[${index}]`;
  if (fields.kind === "local") {
    const pool: Pool = { kind: "local", name: fields.name, capacityBytes: fields.capacityBytes.value };
    return { pool, origins: origins(at, fields) };
  }
  let device: Device;
  if ("device" in fields) {
    const file = await readDevice(files, source, `${at}.device`, fields.device);
    const shipped = parseFile(DeviceFile, file.source, file.text);
    device = { ...shipped, capacityBytes: fields.capacityBytes ?? shipped.capacityBytes };
  } else device = fields;
  const pool = farPool(fields.name, fields.path, device);
  checkMix(source, `${at}.`, pool);
  return { pool, origins: origins(at, device) };
}

/**
 * A topology by shipped name, path of a JSON or Newick file, or as Newick text. Throws InputError with the path of the field for everything that is wrong
 * with it.
 */
export async function loadTopology(files: Files, nameOrPath: string): Promise<Topology> {
  const inline = nameOrPath.trimStart().startsWith("(");
  const { source, text } = inline
    ? { source: "--topology", text: nameOrPath }
    : await read(files, "topology", "topologies", SHIPPED_TOPOLOGIES, nameOrPath);
  if (inline || /\.(nwk|newick)$/.test(source)) {
    const name = inline ? text.replace(/\s|;.*$/gs, "") : source.replace(/^.*[/\\]|\.[a-z]+$/g, "");
    const newick = newickTopology(source, name, parseNewick(source, text));
    checkTopology(source, newick);
    return newick;
  }
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
    ...(fields.loads.length > 0 ? { loads: fields.loads } : {}),
    ...(fields.interleaveSets.length > 0 ? { interleaveSets: fields.interleaveSets } : {}),
    defaultPlacement: fields.defaultPlacement,
    origins: Object.fromEntries([
      ...pools.flatMap((pool) => pool.origins),
      ...fields.edges.flatMap((edge, i) => origins(`edges[${i}]`, edge)),
    ]),
  };
  checkTopology(source, topology);
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
    ...curvesOf(file),
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

/** The frozen GPU of the package: the host of every *modelled* figure of a WebGPU target. */
export async function loadDefaultGpu(files: Files): Promise<HostProfile> {
  const source = files.packagePath("profiles/host-gpu.json");
  return parseHostProfile(source, await files.readText(source));
}
