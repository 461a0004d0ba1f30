// How fast products of int4 weights are on the GPU: one token against the device's plain read of as many bytes, in one dispatch
// after another and in chains where each waits for the last, and prompts. Real adapters only: a software adapter is named
// and nothing is timed.

import { openQuantizer } from "../src/backends/wasm/quantizer.js";
import { adapterFacts, openWebgpu, type WebgpuBackend } from "../src/backends/webgpu.js";
import { UnavailableError } from "../src/core/errors.js";
import { type Op, type TensorSpec, tensorBytes } from "../src/core/op.js";
import type { Platform } from "../src/core/ports.js";

export interface GpuShape {
  readonly wide: number;
  readonly narrow: number;
  /** Pairs of matrices [wide, narrow] and [narrow, wide]: together beyond any cache. */
  readonly pairs: number;
  readonly promptTokens: number;
}

/** 22 matrices of 11008 x 4096 at 4.5 bits: 558 MB. */
const LLAMA: GpuShape = { wide: 11008, narrow: 4096, pairs: 11, promptTokens: 512 };

export async function webgpu(platform: Platform, rounds: number): Promise<void> {
  try {
    const facts = await adapterFacts(platform);
    if (facts.kind === "software") {
      console.log(`webgpu: ${facts.name} is a software adapter: its times say nothing of a GPU, nothing is measured`);
      return;
    }
    const backend = await openWebgpu(platform);
    try {
      console.log(
        `webgpu: ${facts.kind} GPU, ${facts.name}${facts.timestamps ? "" : "; without timestamps, times are from submission to answer"}`,
      );
      for (const line of await measureGpu(backend, platform, LLAMA, Math.max(5, Math.round(rounds / 5))))
        console.log(line);
    } finally {
      await backend.close();
    }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    console.log(`webgpu: not measured: ${error.message}`);
  }
}

function specsOf({ wide, narrow, pairs, promptTokens }: GpuShape): TensorSpec[] {
  const shapes = [
    ...[[promptTokens, narrow] as const, [promptTokens, wide] as const],
    ...Array.from({ length: pairs }, () => [[wide, narrow] as const, [narrow, wide] as const]).flat(),
  ];
  return shapes.map(([rows, cols], id) => ({
    ...{ id, name: `tensor ${id}`, part: "decoder", layer: -1, rows, cols },
    class: id < 2 ? "activations" : "weights",
    format: id < 2 ? "f32" : "int4-g32",
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
  for (const { id, rows, cols } of specs.slice(2))
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
  const weights = specs.slice(2);
  const bytes = weights.reduce((sum, spec) => sum + tensorBytes(spec), 0);
  const product = (weight: TensorSpec, rows: number, activations: "f32" | "int8"): Op => {
    const [x, out] = weight.cols === shape.narrow ? [0, 1] : [1, 0];
    return { kind: "matmul", x, xRow: 0, weight: weight.id, bias: null, out, rows, activations };
  };
  const read = await readGBps(
    backend,
    Math.min(bytes, backend.adapter.maxBindingBytes, backend.adapter.maxBufferBytes),
    rounds,
  );
  const lines = [`plain read: ${read.toFixed(1)} GB/s`];
  for (const activations of ["f32", "int8"] as const) {
    const firsts = weights.filter(({ cols }) => cols === shape.narrow);
    // Products that share their input and write the same output still wait for each other's writes, as WebGPU orders them.
    const apart = bytes / 2 / (await bestNs(firsts.map((weight) => product(weight, 1, activations))));
    const chain = bytes / (await bestNs(weights.map((weight) => product(weight, 1, activations))));
    const share = (gbps: number) => `${gbps.toFixed(1)} GB/s, ${((100 * gbps) / read).toFixed(0)} % of plain read`;
    lines.push(`int4-g32, one token, ${activations} activations: ${share(apart)}; in dependent chains ${share(chain)}`);
    const [one] = weights;
    if (!one) continue;
    const ns = await bestNs([product(one, shape.promptTokens, activations)]);
    const tflops = (2 * one.rows * one.cols * shape.promptTokens) / ns / 1000;
    lines.push(`int4-g32, ${shape.promptTokens} tokens, ${activations} activations: ${tflops.toFixed(2)} TFLOP/s`);
  }
  return lines;
}

async function readGBps(backend: WebgpuBackend, bytes: number, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const ns = await backend.timeRead(bytes);
    if (round >= 0) times.push(ns);
  }
  return bytes / least(times);
}
