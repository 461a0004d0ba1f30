// Exact logical accesses of an op list: which bytes of which tensor each op reads and writes, and how it walks them.
// A pure function of ops and tensor specs, so it is the same for every backend. Bytes are logical (4.5 bits a weight at
// int4 g32); alignment, tile padding and what a backend fuses away are not counted.

import type { AccessPattern, ComputeFamily } from "./host.js";
import { activationGroup, type Op, type TensorId, type TensorSpec, tensorBytes } from "./op.js";
import { isBlockType } from "./packed.js";

/** One contiguous range of one tensor that an op touches once. */
export interface Access {
  readonly tensor: TensorId;
  /** Bytes from the tensor's start. */
  readonly offset: number;
  readonly bytes: number;
  readonly kind: "read" | "write";
  readonly pattern: AccessPattern;
}

/** The arithmetic of an op: multiply-accumulates, or elements for the elementwise family. */
export interface OpWork {
  readonly family: ComputeFamily;
  readonly macs: number;
}

type Specs = readonly TensorSpec[];

function rowsOf(
  specs: Specs,
  tensor: TensorId,
  firstRow: number,
  rows: number,
  kind: Access["kind"],
  pattern: AccessPattern = "stream",
): Access {
  const spec = specs[tensor];
  const offset = tensorBytes(spec, firstRow);
  return { tensor, offset, bytes: tensorBytes(spec, firstRow + rows) - offset, kind, pattern };
}

const reads = (specs: Specs, tensor: TensorId, rows: number, firstRow = 0) =>
  rowsOf(specs, tensor, firstRow, rows, "read");
const writes = (specs: Specs, tensor: TensorId, rows: number, firstRow = 0) =>
  rowsOf(specs, tensor, firstRow, rows, "write");
const whole = (specs: Specs, tensor: TensorId) => reads(specs, tensor, specs[tensor].rows);

/** k or v of an attention: `context` rows of kvHeads * headDim, f32 or int8 with one f16 scale a head; strided where heads take turns. */
function keyRows(op: Extract<Op, { kind: "attention" }>, specs: Specs, tensor: TensorId): Access {
  const int8 = specs[tensor].format === "int8";
  const bytes = op.context * op.kvHeads * (int8 ? op.headDim + 2 : op.headDim * 4);
  return { tensor, offset: 0, bytes, kind: "read", pattern: op.kvHeads > 1 ? "stride" : "stream" };
}

/**
 * The accesses of one op in the order in which they start. Weights are read once an op, however many rows they are
 * multiplied with; an embedding reads the rows of its tokens only.
 */
export function opAccesses(op: Op, specs: Specs): Access[] {
  switch (op.kind) {
    case "embed":
      return [
        ...op.tokens.map((token) => rowsOf(specs, op.table, token, 1, "read", "stride")),
        writes(specs, op.out, op.tokens.length, op.outRow),
      ];
    case "copy":
      return [reads(specs, op.x, op.rows, op.xRow), writes(specs, op.out, op.rows, op.outRow)];
    case "patchEmbed": {
      const patches = (op.imageSize / op.patch) ** 2;
      const image = rowsOf(specs, op.image, 0, 3 * op.imageSize, "read", "stride");
      return [image, whole(specs, op.weight), writes(specs, op.out, patches, op.outRow)];
    }
    case "matmul":
      return [
        reads(specs, op.x, op.rows, op.xRow),
        whole(specs, op.weight),
        ...(op.bias === null ? [] : [whole(specs, op.bias)]),
        writes(specs, op.out, op.rows),
      ];
    case "rmsnorm":
      return [reads(specs, op.x, op.rows, op.xRow), whole(specs, op.weight), writes(specs, op.out, op.rows)];
    case "layernorm":
      return [
        reads(specs, op.x, op.rows),
        whole(specs, op.weight),
        whole(specs, op.bias),
        writes(specs, op.out, op.rows),
      ];
    case "rope": {
      const bytes = op.rows * op.heads * op.headDim * 4;
      const range = { tensor: op.x, offset: 0, bytes, pattern: "stream" as const };
      return [
        { ...range, kind: "read" },
        { ...range, kind: "write" },
      ];
    }
    case "kvStore":
      return [
        reads(specs, op.k, op.rows),
        reads(specs, op.v, op.rows),
        writes(specs, op.kCache, op.rows, op.start),
        writes(specs, op.vCache, op.rows, op.start),
      ];
    case "attention":
      return [
        reads(specs, op.q, op.rows),
        keyRows(op, specs, op.k),
        keyRows(op, specs, op.v),
        writes(specs, op.out, op.rows),
      ];
    case "gather":
      return [reads(specs, op.x, op.rows), whole(specs, op.order), writes(specs, op.out, op.rows)];
    case "swiglu":
      return [reads(specs, op.gate, op.rows), reads(specs, op.up, op.rows), writes(specs, op.out, op.rows)];
    case "silu":
    case "gelu":
    case "quickGelu":
    case "softmax":
      return [reads(specs, op.x, op.rows), writes(specs, op.out, op.rows)];
    case "add": {
      const yRows = specs[op.y].rows === 1 ? 1 : op.rows;
      return [reads(specs, op.x, op.rows), reads(specs, op.y, yRows), writes(specs, op.out, op.rows)];
    }
    case "output":
      return [reads(specs, op.x, op.rows, op.xRow)];
    default:
      return op satisfies never;
  }
}

function matmulFamily(spec: TensorSpec, activations: "f32" | "int8"): ComputeFamily {
  if (spec.format === "f32" || spec.format === "int8") return spec.format;
  // Blocks are taken apart to bytes or floats and multiplied as such.
  if (isBlockType(spec.format)) return activations === "int8" && activationGroup(spec.format) !== null ? "int8" : "f32";
  return activations === "int8" ? "int4-int8" : "int4-f32";
}

/** Query i of a causal attention meets start + i + 1 keys, of a full one all of them; each key is met in q k and in p v. */
function attentionMacs(op: Extract<Op, { kind: "attention" }>): number {
  const causalPairs = op.rows * op.start + (op.rows * (op.rows + 1)) / 2;
  return 2 * op.heads * op.headDim * (op.causal ? causalPairs : op.rows * op.context);
}

/** What an op computes. */
export function opWork(op: Op, specs: Specs): OpWork {
  switch (op.kind) {
    case "matmul": {
      const weight = specs[op.weight];
      return { family: matmulFamily(weight, op.activations), macs: op.rows * weight.rows * weight.cols };
    }
    case "patchEmbed": {
      const weight = specs[op.weight];
      const macs = (op.imageSize / op.patch) ** 2 * weight.rows * weight.cols;
      return { family: matmulFamily(weight, "f32"), macs };
    }
    case "attention":
      return { family: "attention", macs: attentionMacs(op) };
    case "rope":
      return { family: "elementwise", macs: op.rows * op.heads * op.headDim };
    case "embed":
      return { family: "elementwise", macs: op.tokens.length * specs[op.table].cols };
    case "kvStore":
      return { family: "elementwise", macs: 2 * op.rows * specs[op.k].cols };
    case "swiglu":
      return { family: "elementwise", macs: op.rows * specs[op.gate].cols };
    case "copy":
    case "gather":
    case "rmsnorm":
    case "layernorm":
    case "silu":
    case "gelu":
    case "quickGelu":
    case "softmax":
    case "add":
    case "output":
      return { family: "elementwise", macs: op.rows * specs[op.x].cols };
    default:
      return op satisfies never;
  }
}

/** Logical bytes an op list reads and writes, cache or not. */
export interface TensorTraffic {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Sums of an op list by tensor; [tensors] in the order of the specs. */
export function tensorTraffic(ops: readonly Op[], specs: Specs): TensorTraffic[] {
  const sums = specs.map(() => ({ readBytes: 0, writtenBytes: 0 }));
  for (const op of ops) {
    for (const access of opAccesses(op, specs)) {
      sums[access.tensor][access.kind === "read" ? "readBytes" : "writtenBytes"] += access.bytes;
    }
  }
  return sums;
}

/** Bytes of weights an op list reads: the numerator of effective weight GB/s. */
export function weightBytesRead(ops: readonly Op[], specs: Specs): number {
  return tensorTraffic(ops, specs).reduce((sum, t, id) => sum + (specs[id].class === "weights" ? t.readBytes : 0), 0);
}
