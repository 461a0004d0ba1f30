// How fast products of int4 weights are on the GPU: one token against the device's plain read of as many bytes, in one dispatch
// of at least 250 MB and in chains where each product waits for the last, prompts, and the same beside onnxruntime-web. A
// software adapter runs all of it once at small sizes: whether it works is told, its times are not.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { openQuantizer } from "../src/backends/wasm/quantizer.js";
import { adapterFacts, openWebgpu, type WebgpuBackend } from "../src/backends/webgpu.js";
import { UnavailableError } from "../src/core/errors.js";
import { type Op, type TensorSpec, tensorBytes } from "../src/core/op.js";
import type { Platform } from "../src/core/ports.js";
import type { MatmulWork } from "./peers/case.js";
import { ROOT } from "./peers/folders.js";
import { sideBySide, sideBySideLines } from "./webgpu-ort.js";

export interface GpuShape {
  /** Rows of one matrix [large, narrow] that takes 250 MB or more. */
  readonly large: number;
  readonly wide: number;
  readonly narrow: number;
  /** Pairs of matrices [wide, narrow] and [narrow, wide]: together beyond any cache. */
  readonly pairs: number;
  readonly promptTokens: number;
}

/** 22 matrices of 11008 x 4096 at 4.5 bits, 558 MB, and one ten times as high, 254 MB. */
const LLAMA: GpuShape = { large: 110_080, wide: 11008, narrow: 4096, pairs: 11, promptTokens: 512 };
export const SMALL: GpuShape = { large: 512, wide: 96, narrow: 64, pairs: 1, promptTokens: 8 };

const worksOf = ({ large, wide, narrow, promptTokens }: GpuShape): MatmulWork[] => [
  { kind: "matmul", rows: large, cols: narrow, group: 32, tokens: 1 },
  { kind: "matmul", rows: wide, cols: narrow, group: 32, tokens: promptTokens },
];

/** Brings the peer; false where npm could not. */
export function fetchPeers(): boolean {
  const peers = [join(ROOT, "scripts", "peers.mjs"), "webgpu", "onnxruntime-web"];
  return spawnSync(process.execPath, peers, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

/** The same products by onnxruntime-web, where npm has it. */
async function beside(platform: Platform, shape: GpuShape, rounds: number, timed: boolean): Promise<void> {
  if (!fetchPeers()) {
    console.log("webgpu: onnxruntime-web could not be fetched, nothing stands beside");
    return;
  }
  for (const result of await sideBySide(platform, worksOf(shape), rounds)) {
    for (const line of sideBySideLines(result, timed)) console.log(line);
  }
}

export async function webgpu(platform: Platform, rounds: number): Promise<void> {
  try {
    const facts = await adapterFacts(platform);
    const timed = facts.kind !== "software";
    const shape = timed ? LLAMA : SMALL;
    const turns = timed ? Math.max(5, Math.round(rounds / 5)) : 1;
    const clock = facts.timestamps ? "" : "; without timestamps, times are from submission to answer";
    console.log(`webgpu: ${timed ? `${facts.kind} GPU` : "software adapter"}, ${facts.name}${timed ? clock : ""}`);
    const backend = await openWebgpu(platform);
    try {
      const lines = await measureGpu(backend, platform, shape, turns);
      if (timed) for (const line of lines) console.log(line);
      else console.log(`${lines.length} measurements ran at small sizes; no timings of a GPU, so none are told`);
    } finally {
      await backend.close();
    }
    await beside(platform, shape, turns, timed);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    console.log(`webgpu: not measured: ${error.message}`);
  }
}

/** Tensors 0 and 1 are activations of both widths, 2 the results of the large matrix 3, then come the pairs. */
function specsOf({ large, wide, narrow, pairs, promptTokens }: GpuShape): TensorSpec[] {
  const shapes = [
    ...[[promptTokens, narrow] as const, [promptTokens, wide] as const, [1, large] as const, [large, narrow] as const],
    ...Array.from({ length: pairs }, () => [[wide, narrow] as const, [narrow, wide] as const]).flat(),
  ];
  return shapes.map(([rows, cols], id) => ({
    ...{ id, name: `tensor ${id}`, part: "decoder", layer: -1, rows, cols },
    class: id < 3 ? "activations" : "weights",
    format: id < 3 ? "f32" : "int4-g32",
  }));
}

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));

/** Lines of figures; all by the least time of `rounds`. */
export async function measureGpu(
  backend: WebgpuBackend,
  { clock, ...platform }: Platform,
  shape: GpuShape,
  rounds: number,
) {
  const specs = specsOf(shape);
  const quantizer = await openQuantizer({ clock, ...platform });
  await backend.allocate(specs);
  for (const { id, rows, cols } of specs.slice(3))
    await backend.upload(id, quantizer.syntheticInt4(id, rows, cols, 32));
  backend.write(
    0,
    Float32Array.from({ length: shape.promptTokens * shape.narrow }, (_, i) => Math.sin(i)),
  );
  const bestNs = async (ops: readonly Op[]): Promise<number> => {
    const times: number[] = [];
    for (let round = -2; round < rounds; round++) {
      const start = clock.nowNs();
      await backend.submit([...ops, { kind: "output", x: 0, xRow: 0, rows: 1, as: "argmax" }]);
      const wall = clock.nowNs() - start;
      if (round >= 0) times.push(backend.lastGpuNs() || wall);
    }
    return least(times);
  };
  const [big, ...weights] = specs.slice(3) as [TensorSpec, ...TensorSpec[]];
  const product = (weight: TensorSpec, rows: number, activations: "f32" | "int8"): Op => {
    const [x, out] = weight === big ? [0, 2] : weight.cols === shape.narrow ? [0, 1] : [1, 0];
    return { kind: "matmul", x, xRow: 0, weight: weight.id, bias: null, out, rows, activations };
  };
  const { maxBindingBytes, maxBufferBytes } = backend.adapter;
  const read = await readGBps(backend, Math.min(tensorBytes(big), maxBindingBytes, maxBufferBytes), rounds);
  const share = (gbps: number) => `${gbps.toFixed(1)} GB/s, ${((100 * gbps) / read).toFixed(0)} % of plain read`;
  const lines = [`plain read: ${read.toFixed(1)} GB/s`];
  const cuts = Math.ceil(tensorBytes(big) / Math.min(maxBindingBytes, maxBufferBytes));
  for (const activations of ["f32", "int8"] as const) {
    const one = tensorBytes(big) / (await bestNs([product(big, 1, activations)]));
    const bytes = weights.reduce((sum, spec) => sum + tensorBytes(spec), 0);
    const chain = bytes / (await bestNs(weights.map((weight) => product(weight, 1, activations))));
    const mb = `${(tensorBytes(big) / 1e6).toFixed(1)} MB in ${cuts === 1 ? "one dispatch" : `${cuts} dispatches`}`;
    lines.push(`int4-g32, one token, ${activations} activations, ${mb}: ${share(one)}`);
    lines.push(`int4-g32, one token, ${activations} activations, dependent chain: ${share(chain)}`);
    const [first] = weights;
    if (!first) continue;
    const ns = await bestNs([product(first, shape.promptTokens, activations)]);
    const tflops = (2 * first.rows * first.cols * shape.promptTokens) / ns / 1000;
    lines.push(`int4-g32, ${shape.promptTokens} tokens, ${activations} activations: ${tflops.toFixed(2)} TFLOP/s`);
  }
  return lines;
}

async function readGBps(backend: WebgpuBackend, bytes: number, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const ns = await backend.probe.readNs(bytes);
    if (round >= 0) times.push(ns);
  }
  return bytes / least(times);
}
