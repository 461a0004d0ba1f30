// What the local machine's memory and cores can do: the basis of every modelled figure.

import type { FigureSource } from "./units.js";

/** One point of a loaded-latency curve. */
export interface CurvePoint {
  /** Bandwidth being read while the latency was seen. */
  readonly bandwidthGBps: number;
  /** Latency over the idle latency of the same memory, >= 0 and never falling in bandwidth. */
  readonly addedNs: number;
}

/** A loaded-latency curve of one mix of reads and writes. */
export interface MixCurve {
  /** Bytes written over all bytes, 0..1. */
  readonly writeShare: number;
  /** By read plus write bandwidth. */
  readonly points: readonly CurvePoint[];
}

/** How a tensor is walked: dependent loads, regular strides, or sequential streams. */
export type AccessPattern = "chase" | "stride" | "stream";

/** What a memory can move, by the mix of reads and writes. */
export interface MixBandwidth {
  /** Reads only. */
  readonly readGBps: number;
  /** One byte written for each byte read. */
  readonly mixedGBps: number;
  readonly writeGBps: number;
}

/** A shipped default, a two-second probe or a full calibration of one CPU. A GPU has its own. */
export interface HostProfile extends MixBandwidth {
  readonly name: string;
  /** Idle latency of a local DRAM read. */
  readonly idleNs: number;
  /** Loaded latency of local DRAM; its last point is the peak. Empty = one-parameter queue. */
  readonly curve: readonly CurvePoint[];
  /** Further curves with writes among the reads, rising in writeShare; between two mixes the latency is interpolated. */
  readonly mixCurves?: readonly MixCurve[];
  /** Queue parameter a of L0 + a u/(1-u), used where there is no curve. */
  readonly queueNs: number;
  /** Effective last-level cache. */
  readonly llcBytes: number;
  /** Cache lines that one core keeps in flight, by pattern. */
  readonly linesInFlight: Readonly<Record<AccessPattern, number>>;
  /** Multiply-accumulates a second of one core, by kernel family. */
  readonly computeRates: Readonly<Record<ComputeFamily, number>>;
  readonly source: FigureSource;
  /** FNV-1a (64 bits, hex) of the fields above, carried by every result. */
  readonly hash: string;
}

/** A GPU as a host of its own: its memory and caches, measured by itself, and what its queue costs. */
export interface GpuProfile {
  /** As the adapter says what it is. */
  readonly adapter: string;
  readonly host: HostProfile;
  /** Each op of an epoch takes at least so long, whatever it moves: no memory hides behind it. */
  readonly dispatchNs: number;
}

export type ComputeFamily = "int4-int8" | "int4-f32" | "int8" | "f32" | "attention" | "elementwise";

export const COMPUTE_FAMILIES: readonly ComputeFamily[] = [
  "int4-int8",
  "int4-f32",
  "int8",
  "f32",
  "attention",
  "elementwise",
];

/** FNV-1a, 64 bits, hex (Fowler, Noll, Vo): the digest of a profile's fields, so that results of equal profiles compare. */
export function hashText(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}

/** A profile with its hash. The order of the fields is fixed here, so equal fields give equal digests. */
export function sealProfile(fields: Omit<HostProfile, "hash">): HostProfile {
  const { name, idleNs, curve, queueNs, llcBytes, readGBps, mixedGBps, writeGBps, source } = fields;
  const { chase, stride, stream } = fields.linesInFlight;
  const rates = COMPUTE_FAMILIES.map((family) => fields.computeRates[family]);
  const points = curve.map((point) => [point.bandwidthGBps, point.addedNs]);
  const numbers = [idleNs, queueNs, llcBytes, readGBps, mixedGBps, writeGBps, chase, stride, stream, rates, points];
  const mixes = fields.mixCurves?.map((mix) => [mix.writeShare, mix.points.map((p) => [p.bandwidthGBps, p.addedNs])]);
  const all = mixes && mixes.length > 0 ? [...numbers, mixes] : numbers;
  return { ...fields, hash: hashText(JSON.stringify([name, source, ...all])) };
}
