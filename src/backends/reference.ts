// The slow and obvious backend in plain TypeScript that every other backend is compared with: f32 storage, float64
// sums, every weight unpacked to f32 on upload. Never timed, never a target of a benchmark.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Op, TensorId, TensorSpec } from "../core/op.js";
import type { Backend, Platform, SubmitResult } from "../core/ports.js";
import { attention, rope } from "./reference/attention.js";
import { activate, add, swiglu } from "./reference/elementwise.js";
import { keep } from "./reference/kv.js";
import { copy, embed, gather, matmul, patchEmbed } from "./reference/linear.js";
import { type Matrix, rowOf } from "./reference/matrix.js";
import { layernorm, rmsnorm, softmax } from "./reference/norm.js";
import { unpackWeights } from "./reference/unpack.js";

type Lookup = (id: TensorId) => Matrix;

/** Opens the reference backend; it needs nothing of the platform but its name. */
export async function openReference(platform: Platform): Promise<Backend> {
  let tensors: Matrix[] = [];
  const get: Lookup = (id) => {
    const found = tensors[id];
    if (!found) throw new UnavailableError(`tensor ${id}`, "it was never allocated", "Allocate the graph first");
    return found;
  };
  return {
    target: { host: hostOf(platform), backend: "reference", variant: "plain", threads: 1 },
    async allocate(specs: readonly TensorSpec[]) {
      tensors = specs.map(makeMatrix);
    },
    async upload(id, data, row = 0) {
      const { spec, values } = get(id);
      values.set(unpackWeights(spec, data, row), row * spec.cols);
    },
    write(id, values, row = 0) {
      const target = get(id);
      if (row * target.spec.cols + values.length > target.values.length) {
        throw new RangeError(`${target.spec.name} has ${target.spec.rows} rows, the write from row ${row} is too long`);
      }
      target.values.set(values, row * target.spec.cols);
    },
    async submit(ops) {
      const outputs: (Float32Array | Int32Array)[] = [];
      for (const op of ops) {
        if (op.kind === "output") outputs.push(output(op, get));
        else execute(op, get);
      }
      return { outputs } satisfies SubmitResult;
    },
    residentBytes: () => tensors.reduce((sum, { values }) => sum + values.byteLength, 0),
    async close() {
      tensors = [];
    },
  };
}

function hostOf(platform: Platform): Backend["target"]["host"] {
  return platform.name === "bun" || platform.name === "deno" || platform.name === "chromium" ? platform.name : "node";
}

function makeMatrix(spec: TensorSpec): Matrix {
  try {
    return { spec, values: new Float32Array(spec.rows * spec.cols) };
  } catch {
    const problem = `[${spec.rows}, ${spec.cols}] does not fit in memory`;
    throw new InputError(spec.name, "memory", problem, "Use a smaller model or a shorter context");
  }
}

type Computing = Exclude<Op, { kind: "output" }>;
type Lowering = { readonly [K in Computing["kind"]]: (op: Computing & { kind: K }, get: Lookup) => void };

const LOWERING: Lowering = {
  embed: (op, get) => embed(op.tokens, get(op.table), get(op.out), op.outRow),
  copy: (op, get) => copy(get(op.x), op.xRow, get(op.out), op.outRow, op.rows),
  patchEmbed: (op, get) => patchEmbed(get(op.image), get(op.weight), get(op.out), op.outRow, op.imageSize, op.patch),
  matmul: (op, get) => {
    const bias = op.bias === null ? null : get(op.bias);
    matmul(get(op.x), op.xRow, get(op.weight), bias, get(op.out), op.rows, op.activations);
  },
  rmsnorm: (op, get) => rmsnorm(get(op.x), op.xRow, get(op.weight), get(op.out), op.rows, op.eps),
  layernorm: (op, get) => layernorm(get(op.x), get(op.weight), get(op.bias), get(op.out), op.rows, op.eps),
  rope: (op, get) => rope(op, get(op.x)),
  kvStore: (op, get) => {
    keep(get(op.k), get(op.kCache), op.start, op.rows);
    keep(get(op.v), get(op.vCache), op.start, op.rows);
  },
  attention: (op, get) => attention(op, get(op.q), get(op.k), get(op.v), get(op.out)),
  gather: (op, get) => gather(get(op.x), get(op.order), get(op.out), op.rows),
  swiglu: (op, get) => swiglu(get(op.gate), get(op.up), get(op.out), op.rows),
  silu: (op, get) => activate(op.kind, get(op.x), get(op.out), op.rows),
  gelu: (op, get) => activate(op.kind, get(op.x), get(op.out), op.rows),
  quickGelu: (op, get) => activate(op.kind, get(op.x), get(op.out), op.rows),
  add: (op, get) => add(get(op.x), get(op.y), get(op.out), op.rows),
  softmax: (op, get) => softmax(get(op.x), get(op.out), op.rows),
};

function execute<K extends Computing["kind"]>(op: Computing & { kind: K }, get: Lookup): void {
  (LOWERING[op.kind] as (op: Computing, get: Lookup) => void)(op, get);
}

/** Rows as f32 one after the other, or the first index of the largest value of each row. */
function output(op: Extract<Op, { kind: "output" }>, get: Lookup): Float32Array | Int32Array {
  const x = get(op.x);
  const rows = Array.from({ length: op.rows }, (_, i) => rowOf(x, op.xRow + i));
  if (op.as === "argmax") return Int32Array.from(rows, (row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))));
  const values = new Float32Array(op.rows * x.spec.cols);
  rows.forEach((row, i) => {
    values.set(row, i * x.spec.cols);
  });
  return values;
}
