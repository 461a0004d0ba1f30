// How fast the kernels of this machine multiply: a short run of each family on one thread, for the host probe.

import { clockStepNs, leastPieceNs } from "../../core/clock.js";
import type { ComputeFamily } from "../../core/host.js";
import type { Op, StorageFormat, TensorClass, TensorSpec } from "../../core/op.js";
import type { Backend, Clock, Quantizer } from "../../core/ports.js";
import { opWork } from "../../core/traffic.js";
import { quantize } from "../../model/load.js";

/** Width of the square matrix: small enough for the cache, so that arithmetic is what is measured. */
const WIDTH = 1024;
const CONTEXT = 256;
const HEADS = 16;

/** What differs where the kernels do not run on a core of this machine. */
export interface RateOptions {
  readonly width?: number;
  /** ns of each op that are no arithmetic. */
  readonly dispatchNs?: number;
  /** Time of the last submission by the device's own clock; null: from call to answer. */
  ownNs?(): number | null;
}
/** Windows of this length follow each other until the best of one is hardly better than before: engines compile hot code while it runs. */
const WINDOW_NS = 15e6;
const MOST_WINDOWS = 8;
const HARDLY = 1.05;

const FORMATS: Readonly<Partial<Record<ComputeFamily, StorageFormat>>> = {
  "int4-int8": "int4-g32",
  "int4-f32": "int4-g32",
  int8: "int8",
  f32: "f32",
};

function spec(id: number, kind: TensorClass, format: StorageFormat, rows: number, cols: number): TensorSpec {
  return { id, name: `rate ${id}`, class: kind, part: "decoder", layer: -1, format, rows, cols };
}

/** Tensors 0 x, 1 out, 2 and 3 keys and values, 4 weights. */
function specsOf(family: ComputeFamily, width: number): TensorSpec[] {
  return [
    spec(0, "activations", "f32", 1, width),
    spec(1, "activations", "f32", 1, width),
    spec(2, "kv", "f32", CONTEXT, width),
    spec(3, "kv", "f32", CONTEXT, width),
    spec(4, "weights", FORMATS[family] ?? "f32", width, width),
  ];
}

function opOf(family: ComputeFamily, width: number): Op {
  switch (family) {
    case "int4-int8":
    case "int4-f32":
    case "int8":
    case "f32": {
      const activations = family === "int4-int8" || family === "int8" ? "int8" : "f32";
      return { kind: "matmul", x: 0, xRow: 0, weight: 4, bias: null, out: 1, rows: 1, activations };
    }
    case "attention": {
      const heads = { heads: HEADS, kvHeads: HEADS, headDim: width / HEADS };
      const range = { rows: 1, start: CONTEXT - 1, context: CONTEXT, causal: true };
      return { kind: "attention", q: 0, k: 2, v: 3, out: 1, ...range, ...heads };
    }
    case "elementwise":
      return { kind: "add", x: 0, y: 0, out: 1, rows: 1 };
    default:
      return family satisfies never;
  }
}

/** Least time of a run over windows, until it settles. */
async function settledNs(runNs: () => Promise<number>, clock: Clock): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let window = 0; window < MOST_WINDOWS; window++) {
    const before = best;
    for (const end = clock.nowNs() + WINDOW_NS; clock.nowNs() < end; ) best = Math.min(best, await runNs());
    if (before < best * HARDLY) break;
  }
  return best;
}

/** Arithmetic is at least this share of an op's time, however dear the dispatch seems. */
const LEAST_SHARE = 0.1;

/** Multiply-accumulates a second of one family. `open` gives a fresh backend of one thread, or of a GPU. */
export async function measureRate(
  family: ComputeFamily,
  open: () => Promise<Backend>,
  quantizer: Quantizer,
  clock: Clock,
  { width = WIDTH, dispatchNs = 0, ownNs }: RateOptions = {},
): Promise<number> {
  const specs = specsOf(family, width);
  const backend = await open();
  try {
    await backend.allocate(specs);
    const weights = specs[4] as TensorSpec;
    await backend.upload(4, quantize(quantizer, new Float32Array(width * width).fill(0.01), weights));
    let ops = new Array<Op>(16).fill(opOf(family, width));
    const { macs } = opWork(ops[0] as Op, specs);
    const runNs = async () => {
      const start = clock.nowNs();
      await backend.submit(ops);
      return ownNs?.() || clock.nowNs() - start;
    };
    const least = leastPieceNs(clockStepNs(clock));
    while ((await runNs()) < least) ops = [...ops, ...ops];
    const opNs = (await settledNs(runNs, clock)) / ops.length;
    return macs / (Math.max(opNs - dispatchNs, LEAST_SHARE * opNs) / 1e9);
  } finally {
    await backend.close();
  }
}
