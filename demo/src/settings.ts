// What the memory panel says, as plain data: its form in the address (`#topology=cxl-1hop&kv=far`), and the topology and the
// placement rules that follow from it.

import type { Topology } from "../../src/browser.js";

export const TOPOLOGY_NAMES = ["local", "cxl-1hop", "cxl-switch", "cxl-remote"] as const;
export const HOMES = ["near", "far", "half"] as const;
export const CLOCKS = ["virtual", "spin"] as const;
/** Ranges of the sliders. */
export const LIMITS = { latencyNs: [0, 2000], bandwidthGBps: [1, 128], cacheMb: [1, 512] } as const;

type Home = (typeof HOMES)[number];

export interface Settings {
  readonly topology: (typeof TOPOLOGY_NAMES)[number];
  /** Read latency of far memory over local memory's; null: the preset's. */
  readonly latencyNs: number | null;
  /** Read bandwidth of each far device; null: the preset's. */
  readonly bandwidthGBps: number | null;
  readonly weights: Home;
  readonly kv: Home;
  readonly vision: Home;
  /** Effective last-level cache: the host profile's, none, or so many MB (1e6 bytes). */
  readonly cache: "host" | "none" | number;
  /** spin: answers really take the predicted time; virtual: the time is only worked out. */
  readonly clock: (typeof CLOCKS)[number];
}

export const DEFAULT_SETTINGS: Settings = {
  ...{ topology: "cxl-1hop", latencyNs: null, bandwidthGBps: null, cache: "host", clock: "virtual" },
  ...{ weights: "far", kv: "near", vision: "far" },
};

/** Settings as an address holds them, always in the same order; what is as by default is left out. */
export function settingsText(settings: Settings): string {
  const keys = Object.keys(DEFAULT_SETTINGS) as (keyof Settings)[];
  const other = keys.filter((key) => settings[key] !== DEFAULT_SETTINGS[key]);
  return new URLSearchParams(other.map((key) => [key, String(settings[key])])).toString();
}

function oneOf<T extends string>(names: readonly T[], text: string): T | undefined {
  return names.find((name) => name === text);
}

function within([least, most]: readonly [number, number], text: string): number | undefined {
  // Decimal only: Number takes blanks for 0 and 0x10 for 16.
  const value = /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/** Settings of an address; `faults` tells what in it was not understood and is as by default instead. */
export function parseSettings(text: string): { readonly settings: Settings; readonly faults: readonly string[] } {
  const faults: string[] = [];
  let settings = DEFAULT_SETTINGS;
  for (const [key, value] of new URLSearchParams(text.replace(/^#/, ""))) {
    const known = parsed(key, value);
    if (known === undefined) faults.push(`${key}=${value}`);
    else settings = { ...settings, [key]: known };
  }
  return { settings, faults };
}

function parsed(key: string, text: string): Settings[keyof Settings] | undefined {
  switch (key) {
    case "topology":
      return oneOf(TOPOLOGY_NAMES, text);
    case "clock":
      return oneOf(CLOCKS, text);
    case "weights":
    case "kv":
    case "vision":
      return oneOf(HOMES, text);
    case "latencyNs":
    case "bandwidthGBps":
      return within(LIMITS[key], text);
    case "cache":
      return oneOf(["host", "none"] as const, text) ?? within(LIMITS.cacheMb, text);
    default:
      return undefined;
  }
}

/**
 * The preset with the sliders' latency and bandwidth in every far device. Writes stay as much slower than reads as they are in
 * the preset, and the loaded-latency curves keep their shape over the share of the peak.
 */
export function settledTopology(preset: Topology, { latencyNs, bandwidthGBps }: Settings): Topology {
  const pools = preset.pools.map((pool) => {
    if (pool.kind === "local") return pool;
    const adder = latencyNs ?? pool.readAdderNs;
    const scale = (bandwidthGBps ?? pool.readGBps) / pool.readGBps;
    const scaled = (points: typeof pool.curve) =>
      points.map((point) => ({ ...point, bandwidthGBps: point.bandwidthGBps * scale }));
    return {
      ...pool,
      readAdderNs: adder,
      writeAdderNs: pool.writeAdderNs + adder - pool.readAdderNs,
      readGBps: pool.readGBps * scale,
      mixedGBps: pool.mixedGBps * scale,
      writeGBps: pool.writeGBps * scale,
      curve: scaled(pool.curve),
      ...(pool.mixCurves ? { mixCurves: pool.mixCurves.map((mix) => ({ ...mix, points: scaled(mix.points) })) } : {}),
    };
  });
  return { ...preset, pools };
}

/** Placement rules as text; the projector goes with the eyes. */
export function rulesOf({ pools }: Topology, { weights, kv, vision }: Settings): string[] {
  const [near = "dram", ...far] = pools.map(({ name }) => name);
  if (far.length === 0) return [];
  const parts = (names: readonly string[]) => `interleave(${names.join(",")})`;
  const target = (home: Home): string => {
    switch (home) {
      case "near":
        return near;
      case "far":
        return far.length === 1 ? (far[0] as string) : parts(far.map((name) => `${name}:1`));
      case "half":
        return parts([`${near}:${far.length}`, ...far.map((name) => `${name}:1`)]);
      default:
        return home satisfies never;
    }
  };
  return [`weights=${target(weights)}`, `vision=${target(vision)}`, `projector=${target(vision)}`, `kv=${target(kv)}`];
}
