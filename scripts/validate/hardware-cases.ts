// The cases of the hardware validation: programs and footprints, and what the epoch equation must know of each.

import { LINE_BYTES, MIB } from "../../src/core/units.js";
import * as beds from "./hardware-bed.js";
import { distinctBuckets, rateName } from "./hardware-calibrate.js";
import type { CoKind } from "./hardware-measure.js";
import { type Demand, type HardwareFigures, nothing } from "./hardware-predict.js";

export interface PairCase {
  readonly name: string;
  readonly program: beds.Program;
  readonly demand: (figures: HardwareFigures) => Demand;
}

const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;

function chaseCase(bed: beds.HardwareBed, chains: number, bytes: number): PairCase {
  const loads = Math.floor(bytes / beds.STRIDE_BYTES / chains) * chains;
  return {
    name: `${chains === 1 ? "chase" : `${chains} chains`}, ${kib(bytes)}`,
    program: beds.chaseProgram(bed, bytes, chains),
    demand: ({ chainNs }) => ({ ...nothing, bytes, computeNs: loads * chainNs, chains, chaseLines: loads }),
  };
}

function streamCase(bed: beds.HardwareBed, bytes: number): PairCase {
  const streamLines = beds.streamedBytes(bytes) / LINE_BYTES;
  return {
    name: `stream, ${kib(bytes)}`,
    program: beds.streamProgram(bed, bytes),
    demand: () => ({ ...nothing, bytes, streamLines }),
  };
}

export function gemvCase(bed: beds.HardwareBed, shape: beds.GemvShape): PairCase {
  const { rows, cols, group, activations } = shape;
  const bytes = beds.matrixBytes(shape);
  return {
    name: `int4 GEMV ${rows}x${cols} g${group} ${activations}, ${kib(bytes)}`,
    program: beds.gemvProgram(bed, shape),
    demand: ({ macRates }) => ({
      ...{ ...nothing, bytes, kernel: rateName(activations, group) },
      computeNs: (rows * cols * 1e9) / (macRates[rateName(activations, group)] as number),
      streamLines: bytes / LINE_BYTES,
      starts: rows / beds.STREAM_ROWS,
    }),
  };
}

function joinCase(bed: beds.HardwareBed, bits: number): PairCase {
  const buckets = 2 ** bits;
  const distinct = distinctBuckets(buckets);
  const program = beds.joinProgram(bed, bits, buckets);
  return {
    name: `hash join, ${buckets} buckets, ${kib(buckets * LINE_BYTES)}`,
    program,
    demand: ({ probeNs }) => ({
      ...{ ...nothing, bytes: program.bufferBytes, kernel: "join" },
      ...{ computeNs: buckets * probeNs, strideLines: distinct, repeatedLines: buckets - distinct },
    }),
  };
}

const GEMVS: readonly beds.GemvShape[] = [
  { rows: 512, cols: 1024, group: 32, activations: "int8" },
  { rows: 1024, cols: 1024, group: 32, activations: "int8" },
  { rows: 512, cols: 2048, group: 128, activations: "int8" },
  { rows: 512, cols: 4096, group: 128, activations: "int8" },
  { rows: 1024, cols: 1024, group: 32, activations: "f32" },
];

export function pairCases(bed: beds.HardwareBed): PairCase[] {
  return [
    ...[MIB / 2, MIB].flatMap((bytes) => [1, 2, 4, 8].map((chains) => chaseCase(bed, chains, bytes))),
    ...[MIB / 2, MIB].map((bytes) => streamCase(bed, bytes)),
    ...GEMVS.map((shape) => gemvCase(bed, shape)),
    ...[12, 13].map((bits) => joinCase(bed, bits)),
  ];
}

export interface Load {
  readonly kind: CoKind;
  /** Multiplications after each 4 KiB; none of the calibrated ones. */
  readonly pause: number;
}

export const LOADS: readonly Load[] = [
  { kind: "compute", pause: 1000 },
  { kind: "read", pause: 1000 },
  { kind: "read", pause: 300 },
  { kind: "read", pause: 100 },
  { kind: "read", pause: 20 },
  { kind: "store", pause: 300 },
  { kind: "store", pause: 100 },
  { kind: "store", pause: 20 },
];

export function victims(bed: beds.HardwareBed): PairCase[] {
  return [
    gemvCase(bed, { rows: 1024, cols: 2048, group: 128, activations: "int8" }),
    gemvCase(bed, { rows: 1024, cols: 1024, group: 32, activations: "int8" }),
    streamCase(bed, MIB),
  ];
}
