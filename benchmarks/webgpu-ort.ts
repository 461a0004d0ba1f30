// Products of one int4 matrix on the GPU, side by side with onnxruntime-web's WebGPU provider (MatMulNBits): one process, one
// adapter, taking turns. Both are timed alike, from activations on the CPU to results on the CPU.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { adapterName } from "../src/backends/webgpu/adapter.js";
import { openWebgpu } from "../src/backends/webgpu.js";
import type { ActivationFormat, Op, TensorSpec } from "../src/core/op.js";
import type { Platform } from "../src/core/ports.js";
import { summarize } from "../src/stats/summary.js";
import type { MatmulWork } from "./peers/case.js";
import type { Arm } from "./peers/contender.js";
import { importPeer, peerFolder } from "./peers/folders.js";
import { errorOf, seededInput, seededMatrix, storedBytes } from "./peers/matrix.js";
import { readMatrix } from "./peers/nibblemark.js";
import { onnxBytes, writeData } from "./peers/onnx-model.js";
import { onnxArms, type Runtime, type Session } from "./peers/onnxruntime.js";

interface Web extends Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly env: {
    readonly versions: { readonly web?: string };
    readonly wasm: { numThreads: number; wasmPaths: string; wasmBinary: Uint8Array };
    readonly webgpu: { powerPreference: string; readonly device: Promise<GPUDevice> };
  };
}

/** One product by all contenders. */
export interface SideBySide {
  readonly work: MatmulWork;
  /** As onnxruntime-web's device says what it is. */
  readonly theirAdapter: string;
  readonly theirVersion: string;
  /** By arm: relative L2 error against float64, and ns a product of each round. */
  readonly arms: Readonly<Record<string, { readonly error: number; readonly ns: readonly number[] }>>;
}

/** Dawn for Node takes no bytes from shared memory, which is what onnxruntime-web's lies in. */
async function takeShared(gpu: GPU): Promise<void> {
  const device = await (await gpu.requestAdapter())?.requestDevice();
  if (!device) throw new Error("there is no device");
  const queue = Object.getPrototypeOf(device.queue) as { writeBuffer: (...args: unknown[]) => void };
  const { writeBuffer } = queue;
  queue.writeBuffer = function (buffer, at, data, ...rest) {
    const isShared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    return writeBuffer.call(this, buffer, at, isShared ? Uint8Array.from(data as Uint8Array) : data, ...rest);
  };
  device.destroy();
}

/** onnxruntime-web as in a page, with the GPU of this process. */
async function loadWeb(platform: Platform): Promise<Web> {
  const gpu = (await platform.gpu?.()) as GPU;
  const { globals } = (await importPeer("webgpu", "webgpu/index.js")) as { globals: object };
  Object.assign(globalThis, globals);
  const navigator = { gpu, hardwareConcurrency: platform.cpuCount, userAgent: "Node" };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  await takeShared(gpu);
  const dist = join(peerFolder("onnxruntime-web"), "node_modules", "onnxruntime-web", "dist");
  const ort = (await importPeer("onnxruntime-web", "onnxruntime-web/dist/ort.webgpu.min.mjs")) as Web;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = `${pathToFileURL(dist).href}/`;
  ort.env.wasm.wasmBinary = readFileSync(join(dist, "ort-wasm-simd-threaded.asyncify.wasm"));
  ort.env.webgpu.powerPreference = "high-performance";
  return ort;
}

async function theirArms(ort: Web, work: MatmulWork) {
  const path = await writeData(work, 1);
  const name = basename(path);
  const externalData = [{ path: name, data: new Uint8Array(readFileSync(path)) }];
  return onnxArms(ort, work, { sets: 1, nodes: 1 }, (accuracy) =>
    ort.InferenceSession.create(onnxBytes(work, { accuracy, nodes: 1, first: 0, data: name }), {
      executionProviders: ["webgpu"],
      externalData,
    }),
  );
}

async function ourArms(platform: Platform, work: MatmulWork) {
  const { rows, cols, group, tokens } = work;
  const values = (id: number, width: number): TensorSpec => ({
    ...{ id, name: `tensor ${id}`, class: "activations", part: "decoder", layer: -1, format: "f32" },
    ...{ rows: tokens, cols: width },
  });
  const backend = await openWebgpu(platform);
  const weights: TensorSpec = { ...values(2, cols), class: "weights", format: `int4-g${group}`, rows };
  await backend.allocate([values(0, cols), values(1, rows), weights]);
  await backend.upload(2, await readMatrix(platform, work));
  const x = seededInput(work);
  const arm = (activations: ActivationFormat): Arm => {
    const ops: readonly Op[] = [
      { kind: "matmul", x: 0, xRow: 0, weight: 2, bias: null, out: 1, rows: tokens, activations },
      { kind: "output", x: 1, xRow: 0, rows: tokens, as: "values" },
    ];
    const submit = () => {
      backend.write(0, x);
      return backend.submit(ops);
    };
    return {
      run: async () => {
        await submit();
        return { amount: 1 };
      },
      error: async () => errorOf(seededMatrix(work), x, (await submit()).outputs[0]),
    };
  };
  return { arms: { f32: arm("f32"), int8: arm("int8") }, close: () => backend.close() };
}

/** Every arm in turn, `rounds` times; the errors come first and warm up. */
export async function sideBySide(
  platform: Platform,
  works: readonly MatmulWork[],
  rounds: number,
): Promise<SideBySide[]> {
  const ort = await loadWeb(platform);
  const results: SideBySide[] = [];
  for (const work of works) {
    const [ours, theirs] = [await ourArms(platform, work), await theirArms(ort, work)];
    const named = (prefix: string, arms: Readonly<Record<string, Arm>>) =>
      Object.entries(arms).map(([name, arm]) => ({ name: `${prefix} ${name}`, arm, error: 0, ns: [] as number[] }));
    const all = [...named("nibblemark", ours.arms), ...named("onnxruntime-web", theirs.arms)];
    for (const one of all) one.error = (await one.arm.error()) ?? Number.NaN;
    for (let round = 0; round < rounds; round++) {
      for (const { arm, ns } of all) {
        const start = platform.clock.nowNs();
        await arm.run();
        ns.push(platform.clock.nowNs() - start);
      }
    }
    const theirAdapter = adapterName((await ort.env.webgpu.device).adapterInfo);
    const arms = Object.fromEntries(all.map(({ name, error, ns }) => [name, { error, ns }]));
    results.push({ work, theirAdapter, theirVersion: ort.env.versions.web ?? "", arms });
    await Promise.all([ours.close(), theirs.close()]);
  }
  return results;
}

/** What a reader sees. @param timed false: a software adapter, whose times say nothing of a GPU, so that none are told */
export function sideBySideLines({ work, arms, theirAdapter, theirVersion }: SideBySide, timed: boolean): string[] {
  const { rows, cols, group, tokens } = work;
  const head = `int4-g${group} [${rows}, ${cols}] x ${tokens}, onnxruntime-web ${theirVersion} on ${theirAdapter}`;
  const best = (prefix: string) =>
    Math.min(
      ...Object.entries(arms).flatMap(([name, { ns }]) => (name.startsWith(prefix) ? [summarize(ns).median] : [])),
    );
  const lines = Object.entries(arms).map(([name, { error, ns }]) => {
    const right = `  ${name}: relative error ${error.toExponential(1)}`;
    if (!timed) return right;
    const { median } = summarize(ns);
    return `${right}, median ${(median / 1e6).toFixed(3)} ms, least ${(Math.min(...ns) / 1e6).toFixed(3)} ms, ${(storedBytes(work) / median).toFixed(1)} GB/s of weights`;
  });
  const ratio = `  ${(best("onnxruntime-web") / best("nibblemark")).toFixed(2)} times as fast as onnxruntime-web, both from activations on the CPU to results on the CPU`;
  return [head, ...lines, ...(timed ? [ratio] : [])];
}
