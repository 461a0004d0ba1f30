// Ops to dispatches, one function an op kind.

import { InputError } from "../../core/errors.js";
import { headDimOf, type Op, type TensorId } from "../../core/op.js";
import { type Lowering, multiply, weightsParts } from "./matmul.js";
import { checkRows, type Held, type Tensor, tensorOf } from "./memory.js";
import { dispatch, f32Bits, note, type Place, readBack, scratchOf } from "./record.js";

type OpOf<K extends Op["kind"]> = Extract<Op, { kind: K }>;

/** Elements to workgroups of 64. */
const each = (count: number): number => Math.ceil(count / 64);

/** A tensor whose rows from `row` on exist. */
function rowsOf({ tensors }: Lowering, id: TensorId, row: number, rows: number): Tensor {
  const tensor = tensorOf(tensors, id);
  checkRows(tensor.spec, row, rows);
  return tensor;
}

/** The one buffer of a tensor that is no large weight. */
function heldOf({ chunks, spec }: Tensor): Held {
  const [first] = chunks;
  if (first && chunks.length === 1) return first.held;
  const problem = `[${spec.rows}, ${spec.cols}] is beyond what this device binds at once`;
  throw new InputError(spec.name, "memory", problem, "Use a smaller model");
}

const held = (lowering: Lowering, id: TensorId, row: number, rows: number): Held =>
  heldOf(rowsOf(lowering, id, row, rows));
const widthOf = ({ tensors }: Lowering, id: TensorId): number => tensorOf(tensors, id).spec.cols;

/** Notes what one op does. Throws InputError for ops that do not fit their tensors. */
export function lower(lowering: Lowering, op: Op): void {
  const { recording } = lowering;
  (LOWERINGS[op.kind] as (lowering: Lowering, op: Op) => void)(lowering, op);
  // Codes of activations are of a tensor as it was.
  const changed = "out" in op ? op.out : op.kind === "rope" ? op.x : -1;
  if (recording.prepared.startsWith(`${changed} `)) recording.prepared = "";
}

type Lowerings = { readonly [K in Op["kind"]]: (lowering: Lowering, op: Op & { kind: K }) => void };

const LOWERINGS: Lowerings = {
  embed,
  copy: (lowering, op) => copyRows(lowering, op.x, op.xRow, op.out, op.outRow, op.rows),
  patchEmbed,
  matmul,
  rmsnorm: norm,
  layernorm: norm,
  rope,
  kvStore(lowering, op) {
    keep(lowering, op.k, op.kCache, op.start, op.rows);
    keep(lowering, op.v, op.vCache, op.start, op.rows);
  },
  attention,
  gather,
  swiglu: (lowering, op) => activate(lowering, 3, op.gate, op.up, op.out, op.rows),
  silu: (lowering, op) => activate(lowering, 0, op.x, null, op.out, op.rows),
  gelu: (lowering, op) => activate(lowering, 1, op.x, null, op.out, op.rows),
  quickGelu: (lowering, op) => activate(lowering, 2, op.x, null, op.out, op.rows),
  add,
  softmax,
  output,
};

function embed(lowering: Lowering, { tokens, table, out, outRow }: OpOf<"embed">): void {
  const { store, recording, abilities } = lowering;
  const tensor = tensorOf(lowering.tensors, table);
  const { rows, cols, name, format } = tensor.spec;
  const stray = tokens.find((token) => token < 0 || token >= rows);
  if (stray !== undefined) {
    const problem = `token ${stray} is outside a vocabulary of ${rows}`;
    throw new InputError(name, "embed", problem, "Use the tokenizer that belongs to the model");
  }
  const target = held(lowering, out, outRow, tokens.length);
  const at = note(recording, tokens);
  const { parts, ...rest } = weightsParts(format, tensor.offset, abilities);
  for (const chunk of tensor.chunks) {
    const params = [chunk.rows, cols, tokens.length, chunk.firstRow, cols, at, outRow];
    const kernel = { ...rest, parts: [...parts, "embed"] };
    dispatch(store, recording, kernel, [chunk.held, "data", target], params, each(tokens.length * cols));
  }
}

function copyRows(lowering: Lowering, x: TensorId, xRow: number, out: TensorId, outRow: number, rows: number): void {
  const { store, recording } = lowering;
  const cols = widthOf(lowering, x);
  const buffers = [held(lowering, x, xRow, rows), held(lowering, out, outRow, rows)];
  const params = [rows * cols, xRow * cols, outRow * cols];
  dispatch(store, recording, { parts: ["copy"] }, buffers, params, each(rows * cols));
}

function matmul(lowering: Lowering, op: OpOf<"matmul">): void {
  const weight = tensorOf(lowering.tensors, op.weight);
  const { spec } = weight;
  const [from, to] = [widthOf(lowering, op.x), widthOf(lowering, op.out)];
  if (from !== spec.cols || to !== spec.rows) {
    const problem = `is [${spec.rows}, ${spec.cols}], but x has ${from} columns and out ${to}`;
    throw new InputError(spec.name, "shape", problem, "Check the model's config against its tensors");
  }
  multiply(lowering, {
    weight,
    bias: op.bias === null ? null : held(lowering, op.bias, 0, 1),
    x: held(lowering, op.x, op.xRow, op.rows),
    xKey: `${op.x}`,
    xRow: op.xRow,
    out: held(lowering, op.out, 0, op.rows),
    outRow: 0,
    outCols: to,
    tokens: op.rows,
    activations: op.activations,
  });
}

function patchEmbed(lowering: Lowering, { image, weight, out, outRow, imageSize, patch }: OpOf<"patchEmbed">): void {
  const { store, recording } = lowering;
  const tokens = (imageSize / patch) ** 2;
  const count = 3 * imageSize * imageSize;
  const x = scratchOf(store, "patches", count * 4);
  const source = held(lowering, image, 0, 3 * imageSize);
  dispatch(store, recording, { parts: ["patch"] }, [source, x], [imageSize, patch], each(count));
  const target = held(lowering, out, outRow, tokens);
  const tensor = tensorOf(lowering.tensors, weight);
  const outCols = widthOf(lowering, out);
  const shape = { weight: tensor, bias: null, x, xKey: "patches", xRow: 0, out: target, outRow, outCols, tokens };
  multiply(lowering, { ...shape, activations: "f32" });
}

function norm(lowering: Lowering, op: OpOf<"rmsnorm"> | OpOf<"layernorm">): void {
  const { store, recording, nothing } = lowering;
  const xRow = op.kind === "rmsnorm" ? op.xRow : 0;
  const bias = op.kind === "layernorm" ? held(lowering, op.bias, 0, 1) : nothing;
  const x = held(lowering, op.x, xRow, op.rows);
  const buffers = [x, held(lowering, op.weight, 0, 1), held(lowering, op.out, 0, op.rows), bias];
  const params = [widthOf(lowering, op.x), op.rows, xRow, f32Bits(op.eps)];
  dispatch(store, recording, { parts: ["norm"], entry: op.kind }, buffers, params, op.rows);
}

/** Frequencies in turns a position as 48-bit fractions, [headDim / 2] of (upper 32, lower 16 bits). */
function turnsOf({ headDim, theta, factors }: OpOf<"rope">): number[] {
  return Array.from({ length: headDim / 2 }, (_, j) => {
    const turns = theta ** ((-2 * j) / headDim) / (factors?.[j] ?? 1) / (2 * Math.PI);
    const units = Math.round((turns % 1) * 2 ** 48);
    return [Math.floor(units / 2 ** 16) % 2 ** 32, units % 2 ** 16];
  }).flat();
}

function rope(lowering: Lowering, op: OpOf<"rope">): void {
  const { store, recording } = lowering;
  const { rows, start, heads, headDim, style, gain = 1 } = op;
  const key = `${headDim} ${op.theta} ${op.factors?.join() ?? ""}`;
  const at = recording.turns.get(key) ?? note(recording, turnsOf(op));
  recording.turns.set(key, at);
  const params = [rows, start, heads, headDim, style === "half" ? 1 : 0, at, f32Bits(gain)];
  const buffers: Place[] = [held(lowering, op.x, 0, rows), "data"];
  dispatch(store, recording, { parts: ["rope"] }, buffers, params, each((rows * heads * headDim) / 2));
}

/** Rows of keys or values into a cache, f32 or int8. */
function keep(lowering: Lowering, x: TensorId, cache: TensorId, start: number, rows: number): void {
  const { store, recording } = lowering;
  const { spec } = tensorOf(lowering.tensors, cache);
  if (spec.format === "f32") {
    copyRows(lowering, x, 0, cache, start, rows);
    return;
  }
  const headDim = headDimOf(spec);
  const kvHeads = spec.cols / headDim;
  const buffers = [held(lowering, x, 0, rows), held(lowering, cache, start, rows)];
  dispatch(store, recording, { parts: ["kv-store"] }, buffers, [rows, start, kvHeads, headDim], each(rows * kvHeads));
}

function attention(lowering: Lowering, op: OpOf<"attention">): void {
  const { store, recording } = lowering;
  const { rows, start, context, heads, kvHeads, headDim } = op;
  const cache = tensorOf(lowering.tensors, op.k).spec.format === "int8" ? "kv-int8" : "kv-f32";
  const kernel = { parts: ["attention", cache, "exp"], consts: { DIMS: Math.ceil(headDim / 64) } };
  const [k, v] = [held(lowering, op.k, 0, context), held(lowering, op.v, 0, context)];
  const buffers = [held(lowering, op.q, 0, rows), k, v, held(lowering, op.out, 0, rows)];
  const params = [rows, start, context, heads, kvHeads, headDim, op.causal ? 1 : 0];
  dispatch(store, recording, kernel, buffers, params, rows * heads);
}

function gather(lowering: Lowering, { x, order, out, rows }: OpOf<"gather">): void {
  const { store, recording } = lowering;
  const buffers = [held(lowering, x, 0, rows), held(lowering, order, 0, 1), held(lowering, out, 0, rows)];
  const params = [rows, widthOf(lowering, x), widthOf(lowering, out)];
  dispatch(store, recording, { parts: ["gather"] }, buffers, params, each(rows * widthOf(lowering, out)));
}

/** Kernels that can work in place bind out first and x last. */
function elementwise(lowering: Lowering, x: Held, out: Held): { readonly entry: string; readonly x: Held } {
  return x === out ? { entry: "inPlace", x: lowering.nothing } : { entry: "main", x };
}

function activate(
  lowering: Lowering,
  kind: number,
  x: TensorId,
  y: TensorId | null,
  out: TensorId,
  rows: number,
): void {
  const { store, recording, nothing } = lowering;
  const target = held(lowering, out, 0, rows);
  const input = elementwise(lowering, held(lowering, x, 0, rows), target);
  const other = y === null ? nothing : held(lowering, y, 0, rows);
  const count = rows * widthOf(lowering, x);
  const kernel = { parts: ["activation", "exp"], entry: input.entry, consts: { KIND: kind } };
  dispatch(store, recording, kernel, [target, other, input.x], [count], each(count));
}

function add(lowering: Lowering, { x, y, out, rows }: OpOf<"add">): void {
  const { store, recording } = lowering;
  const yRows = tensorOf(lowering.tensors, y).spec.rows === 1 ? 1 : rows;
  const target = held(lowering, out, 0, rows);
  const input = elementwise(lowering, held(lowering, x, 0, rows), target);
  const cols = widthOf(lowering, x);
  const buffers = [target, held(lowering, y, 0, yRows), input.x];
  const kernel = { parts: ["add"], entry: input.entry };
  dispatch(store, recording, kernel, buffers, [rows * cols, yRows * cols], each(rows * cols));
}

function softmax(lowering: Lowering, { x, out, rows }: OpOf<"softmax">): void {
  const { store, recording } = lowering;
  const target = held(lowering, out, 0, rows);
  const input = elementwise(lowering, held(lowering, x, 0, rows), target);
  const kernel = { parts: ["softmax", "exp"], entry: input.entry };
  dispatch(store, recording, kernel, [target, input.x], [widthOf(lowering, x), rows], rows);
}

function output(lowering: Lowering, { x, xRow, rows, as }: OpOf<"output">): void {
  const { store, recording } = lowering;
  const source = held(lowering, x, xRow, rows);
  const cols = widthOf(lowering, x);
  if (as === "values") {
    readBack(recording, source, xRow * cols * 4, rows * cols, as);
    return;
  }
  const indices = scratchOf(store, "indices", rows * 4);
  dispatch(store, recording, { parts: ["argmax"] }, [source, indices], [cols, rows, xRow], rows);
  readBack(recording, indices, 0, rows, as);
}
