// One case of the conformance suite: tensors with values, ops, and what to compare. A case is data; `runCase` runs it on
// any backend.

import type { Op, StorageFormat, TensorId, TensorSpec } from "../../src/core/op.js";
import type { PackedInt4, WeightData } from "../../src/core/packed.js";
import type { Backend } from "../../src/core/ports.js";
import { groupOf, quantize } from "../../src/model/load.js";
import { uniform } from "../../src/model/sample.js";
import { packInt4, plainQuantizer, toHalf } from "./quantizer.js";

export interface Case {
  readonly name: string;
  /** Largest relative L2 difference from the reference. */
  readonly tolerance: number;
  readonly tensors: readonly TensorSpec[];
  readonly uploads: readonly (readonly [TensorId, WeightData])[];
  readonly writes: readonly (readonly [TensorId, Float32Array])[];
  readonly ops: readonly Op[];
}

/** Builds a case with seeded values; every call of one builder draws on. */
export interface CaseBuilder {
  /** Weights of a format, roughly of variance 1 / cols so that products stay near 1. */
  weight(format: StorageFormat, rows: number, cols: number): TensorId;
  /** 4-bit weights with zero points or offsets. */
  offsetWeight(offset: PackedInt4["offset"], format: StorageFormat, rows: number, cols: number): TensorId;
  /** Activations in (-size, size). */
  input(rows: number, cols: number, size?: number): TensorId;
  /** An empty int8 cache of heads of `headDim` columns. */
  int8Cache(rows: number, cols: number, headDim: number): TensorId;
  values(rows: number, cols: number, values: readonly number[]): TensorId;
  done(name: string, tolerance: number, ops: readonly Op[], ...outputs: readonly TensorId[]): Case;
}

export function caseBuilder(seed: number): CaseBuilder {
  const random = uniform(seed);
  const draw = (count: number, size: number) => Float32Array.from({ length: count }, () => (random() * 2 - 1) * size);
  const tensors: TensorSpec[] = [];
  const uploads: [TensorId, WeightData][] = [];
  const writes: [TensorId, Float32Array][] = [];
  const add = (of: TensorSpec["class"], format: StorageFormat, rows: number, cols: number): TensorSpec => {
    const id = tensors.length;
    const spec: TensorSpec = { id, name: `${of} ${id}`, class: of, part: "decoder", layer: -1, format, rows, cols };
    tensors.push(spec);
    return spec;
  };
  const input = (rows: number, cols: number, values: Float32Array): TensorId => {
    const { id } = add("activations", "f32", rows, cols);
    writes.push([id, values]);
    return id;
  };
  return {
    weight(format, rows, cols) {
      const spec = add("weights", format, rows, cols);
      uploads.push([spec.id, quantize(plainQuantizer, draw(rows * cols, Math.sqrt(3 / cols)), spec)]);
      return spec.id;
    },
    offsetWeight(offset, format, rows, cols) {
      const spec = add("weights", format, rows, cols);
      const group = groupOf(format as Parameters<typeof groupOf>[0]);
      const code = () => Math.floor(random() * 16);
      const scale = () => toHalf(((0.5 + random()) * 0.2) / Math.sqrt(cols));
      const zero = () => (offset === "zeroU4" ? Math.floor(random() * 16) : (random() - 1) / Math.sqrt(cols));
      uploads.push([spec.id, packInt4({ rows, cols, group, offset }, code, scale, zero)]);
      return spec.id;
    },
    input: (rows, cols, size = 1) => input(rows, cols, draw(rows * cols, size)),
    int8Cache(rows, cols, headDim) {
      const id = tensors.length;
      tensors.push({
        ...{ id, name: `cache ${id}`, class: "kv", part: "decoder", layer: 0, format: "int8", rows, cols, headDim },
      });
      return id;
    },
    values: (rows, cols, values) => input(rows, cols, Float32Array.from(values)),
    done(name, tolerance, ops, ...outputs) {
      const back = outputs.map((x): Op => ({ kind: "output", x, xRow: 0, rows: tensors[x].rows, as: "values" }));
      return { name, tolerance, tensors, uploads, writes, ops: [...ops, ...back] };
    },
  };
}

/** Runs a case on a backend that was just opened, and closes it. */
export async function runCase(backend: Backend, { tensors, uploads, writes, ops }: Case) {
  try {
    await backend.allocate(tensors);
    for (const [id, data] of uploads) await backend.upload(id, data);
    for (const [id, values] of writes) backend.write(id, values);
    return (await backend.submit(ops)).outputs;
  } finally {
    await backend.close();
  }
}

const ID_FIELDS = [
  "table",
  "image",
  "weight",
  "bias",
  "x",
  "y",
  "q",
  "k",
  "v",
  "kCache",
  "vCache",
  "order",
  "gate",
  "up",
  "out",
];

/** All cases side by side in one backend: their tensors must not disturb each other, and it is opened only once. */
export function joinCases(cases: readonly Case[]): Case {
  let offset = 0;
  const moved = cases.map(({ tensors, uploads, writes, ops }) => {
    const first = offset;
    offset += tensors.length;
    const move = ([key, value]: [string, unknown]) =>
      ID_FIELDS.includes(key) && typeof value === "number" ? [key, value + first] : [key, value];
    return {
      tensors: tensors.map((spec) => ({ ...spec, id: spec.id + first })),
      uploads: uploads.map(([id, data]) => [id + first, data] as const),
      writes: writes.map(([id, values]) => [id + first, values] as const),
      ops: ops.map((op) => Object.fromEntries(Object.entries(op).map(move)) as Op),
    };
  });
  return {
    name: `${cases.length} cases`,
    tolerance: 0,
    tensors: moved.flatMap(({ tensors }) => tensors),
    uploads: moved.flatMap(({ uploads }) => uploads),
    writes: moved.flatMap(({ writes }) => writes),
    ops: moved.flatMap(({ ops }) => ops),
  };
}

/** |a - b| / |b| in the L2 norm; of two zeros 0. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}
