// The slow twin of the matrix kernels: float64 sums over weights unpacked by the reference backend, and random cases.

import { unpackBlocks } from "../../src/backends/reference/blocks.js";
import { roundActivations } from "../../src/backends/reference/linear.js";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openWasm, type WasmVariant } from "../../src/backends/wasm.js";
import type { ActivationFormat, StorageFormat, TensorSpec } from "../../src/core/op.js";
import { activationGroup } from "../../src/core/op.js";
import type { Group, PackedInt4, WeightData } from "../../src/core/packed.js";
import { nodePlatform } from "../../src/platform/node.js";
import { packInt4, toHalf } from "../conformance/quantizer.js";

export type Random = () => number;

/** mulberry32: 32-bit state, uniform in [0, 1). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Product {
  readonly weight: WeightData;
  readonly format: StorageFormat;
  /** [tokens, cols] */
  readonly x: Float32Array;
  readonly tokens: number;
  /** [rows] */
  readonly bias: Float32Array | null;
  readonly activations: ActivationFormat;
}

export interface Shape {
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
}

const draw = (next: Random, count: number, size: number): Float32Array =>
  Float32Array.from({ length: count }, () => (next() * 2 - 1) * size);

export function int4Product(
  next: Random,
  { rows, cols, tokens }: Shape,
  group: Group,
  offset: PackedInt4["offset"],
  activations: ActivationFormat,
): Product {
  const scale = () => toHalf((0.5 + next()) / Math.sqrt(cols) / 4);
  const zero = () => (offset === "zeroU4" ? Math.floor(next() * 16) : next() - 0.5);
  const weight = packInt4({ rows, cols, group, offset }, () => Math.floor(next() * 16), scale, zero);
  return finish(next, { rows, cols, tokens }, weight, `int4-g${group}`, activations);
}

export function int8Product(next: Random, shape: Shape, activations: ActivationFormat): Product {
  const { rows, cols } = shape;
  const codes = Int8Array.from({ length: rows * cols }, () => Math.floor(next() * 255) - 127);
  const scales = draw(next, rows, 0.01);
  return finish(next, shape, { kind: "int8", rows, cols, codes, scales }, "int8", activations);
}

export function f32Product(next: Random, shape: Shape): Product {
  const { rows, cols } = shape;
  const values = draw(next, rows * cols, Math.sqrt(3 / cols));
  return finish(next, shape, { kind: "f32", rows, cols, values }, "f32", "f32");
}

function finish(
  next: Random,
  { rows, cols, tokens }: Shape,
  weight: WeightData,
  format: StorageFormat,
  activations: ActivationFormat,
): Product {
  const bias = next() < 0.5 ? draw(next, rows, 1) : null;
  return { weight, format, x: draw(next, tokens * cols, 2), tokens, bias, activations };
}

function plainValues(weight: WeightData): ArrayLike<number> {
  if (weight.kind === "f32") return weight.values;
  if (weight.kind === "int4") return unpackInt4(weight);
  if (weight.kind === "blocks") return unpackBlocks(weight);
  return Float64Array.from(weight.codes, (code, i) => code * weight.scales[Math.floor(i / weight.cols)]);
}

/** [tokens, rows] in float64. */
export function slowProduct({ weight, format, x, tokens, bias, activations }: Product): Float64Array {
  const { rows, cols } = weight;
  const values = plainValues(weight);
  const group = activations === "int8" ? activationGroup(format) : null;
  const out = new Float64Array(tokens * rows);
  for (let t = 0; t < tokens; t++) {
    const part = x.subarray(t * cols, (t + 1) * cols);
    const input = group === null ? part : roundActivations(part, group);
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < cols; c++) sum += values[r * cols + c] * input[c];
      out[t * rows + r] = sum + (bias?.[r] ?? 0);
    }
  }
  return out;
}

/** The same on the WASM backend: one matmul op, [tokens, rows]. */
export async function wasmProduct(product: Product, variant: WasmVariant, threads: number): Promise<Float32Array> {
  const { weight, format, x, tokens, bias, activations } = product;
  const { rows, cols } = weight;
  const backend = await openWasm(nodePlatform(), { variant, threads });
  const spec = (id: number, of: TensorSpec["class"], as: StorageFormat, height: number, width: number): TensorSpec => ({
    ...{ id, name: `t${id}`, class: of, part: "decoder", layer: -1, format: as, rows: height, cols: width },
  });
  try {
    await backend.allocate([
      spec(0, "weights", format, rows, cols),
      spec(1, "weights", "f32", 1, rows),
      spec(2, "activations", "f32", tokens, cols),
      spec(3, "activations", "f32", tokens, rows),
    ]);
    await backend.upload(0, weight);
    if (bias) await backend.upload(1, { kind: "f32", rows: 1, cols: rows, values: bias });
    backend.write(2, x);
    const { outputs } = await backend.submit([
      { kind: "matmul", x: 2, xRow: 0, weight: 0, bias: bias ? 1 : null, out: 3, rows: tokens, activations },
      { kind: "output", x: 3, xRow: 0, rows: tokens, as: "values" },
    ]);
    return outputs[0] as Float32Array;
  } finally {
    await backend.close();
  }
}

/** Largest |a - b| over the root mean square of b. */
export function worstError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squares = 0;
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    squares += b[i] ** 2;
    worst = Math.max(worst, Number.isFinite(a[i]) ? Math.abs(a[i] - b[i]) : Number.POSITIVE_INFINITY);
  }
  return squares === 0 ? worst : worst / Math.sqrt(squares / b.length);
}
