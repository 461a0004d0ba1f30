// Ops to kernel calls, one function an op kind. Nothing is allocated on the way but the outputs.

import { InputError } from "../../core/errors.js";
import { headDimOf, type Op } from "../../core/op.js";
import { BLOCK_TYPE, OFFSET } from "./kernels.js";
import { multiply, product } from "./product.js";
import { checkRows, placeOf, rowsAt, type State, widthOf } from "./state.js";

type OpOf<K extends Op["kind"]> = Extract<Op, { kind: K }>;

/** Runs one op; an output op gives its values. */
export function execute(state: State, op: Op): Float32Array | Int32Array | null {
  const { kernels } = state;
  switch (op.kind) {
    case "embed":
      embed(state, op);
      return null;
    case "copy":
      copyRows(state, op.x, op.xRow, op.out, op.outRow, op.rows);
      return null;
    case "patchEmbed":
      patchEmbed(state, op);
      return null;
    case "matmul":
      product(state, op);
      return null;
    case "rmsnorm": {
      const x = rowsAt(state, op.x, op.xRow, op.rows);
      const weight = rowsAt(state, op.weight, 0, 1);
      kernels.rmsnorm(x, weight, rowsAt(state, op.out, 0, op.rows), op.rows, widthOf(state, op.x), op.eps);
      return null;
    }
    case "layernorm": {
      const out = rowsAt(state, op.out, 0, op.rows);
      const x = rowsAt(state, op.x, 0, op.rows);
      const [weight, bias] = [rowsAt(state, op.weight, 0, 1), rowsAt(state, op.bias, 0, 1)];
      kernels.layernorm(x, weight, bias, out, op.rows, widthOf(state, op.x), op.eps);
      return null;
    }
    case "rope":
      rope(state, op);
      return null;
    case "kvStore":
      keep(state, op.k, op.kCache, op.start, op.rows);
      keep(state, op.v, op.vCache, op.start, op.rows);
      return null;
    case "attention":
      attention(state, op);
      return null;
    case "gather": {
      const order = rowsAt(state, op.order, 0, 1);
      const [from, to] = [rowsAt(state, op.x, 0, op.rows), rowsAt(state, op.out, 0, op.rows)];
      kernels.gatherColumns(from, order, to, op.rows, widthOf(state, op.x), widthOf(state, op.out));
      return null;
    }
    case "swiglu": {
      const count = op.rows * widthOf(state, op.gate);
      const gate = rowsAt(state, op.gate, 0, op.rows);
      kernels.swiglu(gate, rowsAt(state, op.up, 0, op.rows), rowsAt(state, op.out, 0, op.rows), count);
      return null;
    }
    case "silu":
    case "gelu":
    case "quickGelu": {
      const x = rowsAt(state, op.x, 0, op.rows);
      kernels[op.kind](x, rowsAt(state, op.out, 0, op.rows), op.rows * widthOf(state, op.x));
      return null;
    }
    case "add": {
      const yRows = placeOf(state, op.y).spec.rows === 1 ? 1 : op.rows;
      const [x, y] = [rowsAt(state, op.x, 0, op.rows), rowsAt(state, op.y, 0, yRows)];
      kernels.add(x, y, rowsAt(state, op.out, 0, op.rows), op.rows, widthOf(state, op.x), yRows);
      return null;
    }
    case "softmax": {
      const x = rowsAt(state, op.x, 0, op.rows);
      kernels.softmax(x, rowsAt(state, op.out, 0, op.rows), op.rows, widthOf(state, op.x));
      return null;
    }
    case "output":
      return output(state, op);
    default:
      return op satisfies never;
  }
}

function embed(state: State, op: OpOf<"embed">): void {
  const { kernels } = state;
  const { spec, at, scalesAt, group, offset, blocks } = placeOf(state, op.table);
  for (let i = 0; i < op.tokens.length; i++) {
    const token = op.tokens[i];
    if (token < 0 || token >= spec.rows) {
      const problem = `token ${token} is outside a vocabulary of ${spec.rows}`;
      throw new InputError(spec.name, "embed", problem, "Use the tokenizer that belongs to the model");
    }
    const out = rowsAt(state, op.out, op.outRow + i, 1);
    if (blocks) kernels.embedBlocks(at, BLOCK_TYPE[blocks], spec.cols, token, out, state.scratches[0]);
    else if (group) kernels.embedInt4(at, spec.cols, group, OFFSET[offset], token, out);
    else if (spec.format === "int8") kernels.embedInt8(at, scalesAt, spec.cols, token, out);
    else kernels.embedF32(at, spec.cols, token, out);
  }
}

function copyRows(state: State, x: number, xRow: number, out: number, outRow: number, rows: number): void {
  const bytes = rows * widthOf(state, x) * 4;
  state.kernels.copyBytes(rowsAt(state, out, outRow, rows), rowsAt(state, x, xRow, rows), bytes);
}

function patchEmbed(state: State, op: OpOf<"patchEmbed">): void {
  const patches = (op.imageSize / op.patch) ** 2;
  const out = rowsAt(state, op.out, op.outRow, patches);
  state.kernels.patchRows(rowsAt(state, op.image, 0, 3 * op.imageSize), op.imageSize, op.patch, state.patches);
  multiply(state, placeOf(state, op.weight), 0, state.patches, out, widthOf(state, op.out), patches, "f32");
}

/** All layers of an epoch turn by the same angles: the table is made once. */
function rope(state: State, op: OpOf<"rope">): void {
  const { rows, start, heads, headDim, theta, factors, gain } = op;
  const key = `${rows} ${start} ${headDim} ${theta} ${factors?.join() ?? ""} ${gain ?? 1}`;
  if (key !== state.ropeKey) {
    if (rows * headDim * 4 > state.ropeBytes) {
      throw new InputError("op list", "rope", `heads of ${headDim} are too wide`, "Use a model with narrower heads");
    }
    if (factors) scaledTable(state, op, factors);
    else state.kernels.ropeTable(state.ropeTable, rows, start, headDim, theta);
    state.ropeKey = key;
  }
  state.kernels.rope(rowsAt(state, op.x, 0, rows), state.ropeTable, rows, heads, headDim, op.style === "half" ? 1 : 0);
}

/** The factors and the gain pass through the bytes behind the table. */
function scaledTable(
  state: State,
  { rows, start, headDim, theta, gain = 1 }: OpOf<"rope">,
  factors: readonly number[],
): void {
  const at = state.ropeTable + state.ropeBytes;
  new Float64Array(state.memory.buffer, at, factors.length + 1).set([...factors, gain]);
  state.kernels.ropeTableScaled(state.ropeTable, rows, start, headDim, theta, at);
}

/** Rows of keys or values into a cache, f32 or int8. */
function keep(state: State, x: number, cache: number, start: number, rows: number): void {
  const { spec, at, scalesAt } = placeOf(state, cache);
  if (spec.format === "f32") {
    copyRows(state, x, 0, cache, start, rows);
    return;
  }
  const headDim = headDimOf(spec);
  checkRows(spec, start, rows);
  state.kernels.storeInt8(
    rowsAt(state, x, 0, rows),
    rows,
    spec.cols / headDim,
    headDim,
    start,
    spec.rows,
    at,
    scalesAt,
  );
}

function attention(state: State, op: OpOf<"attention">): void {
  const { rows, start, context, heads, kvHeads, headDim } = op;
  const [q, out] = [rowsAt(state, op.q, 0, rows), rowsAt(state, op.out, 0, rows)];
  const [k, v] = [placeOf(state, op.k), placeOf(state, op.v)];
  checkRows(k.spec, 0, context);
  checkRows(v.spec, 0, context);
  const [room, causal] = [k.spec.rows, op.causal ? 1 : 0];
  // biome-ignore format: one argument a line hides which belong together
  state.kernels.attentionInt8(
    q, k.at, v.at, k.scalesAt, v.scalesAt, room, out,
    rows, start, context, heads, kvHeads, headDim, causal,
  );
}

function output(state: State, op: OpOf<"output">): Float32Array | Int32Array {
  const cols = widthOf(state, op.x);
  const at = rowsAt(state, op.x, op.xRow, op.rows);
  if (op.as === "values") return new Float32Array(state.memory.buffer, at, op.rows * cols).slice();
  // The indices pass through scratch that no op leaves anything in.
  state.kernels.argmaxRows(at, op.rows, cols, state.prepared);
  return new Int32Array(state.memory.buffer, state.prepared, op.rows).slice();
}
