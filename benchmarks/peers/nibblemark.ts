// Contender nibblemark: the WebAssembly backend through the interfaces that an application uses: the same ONNX file is
// read, repacked and uploaded, and a sample is one submitted op list. Beside it plain reads of the same memory size.

import { writeFileSync } from "node:fs";
import { openArena } from "../../src/backends/wasm/arena.js";
import { loadKernels } from "../../src/backends/wasm/kernels.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openWasm, type WasmVariant } from "../../src/backends/wasm.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import type { WeightData } from "../../src/core/packed.js";
import type { Platform } from "../../src/core/ports.js";
import { openOnnxWeights } from "../../src/formats/onnx.js";
import { nodePlatform } from "../../src/platform/node.js";
import { fastestVariant } from "../bed.js";
import type { MatmulWork, Work } from "./case.js";
import type { Arm, Opened } from "./contender.js";
import { errorOf, seededInput, seededMatrix, storedBytes } from "./matrix.js";
import { openModelArms } from "./nibblemark-model.js";
import { onnxBytes, sampleNodes, sampleSets, setsASample, writeData } from "./onnx-model.js";

export async function open(work: Work, threads: number): Promise<Opened> {
  const platform = nodePlatform();
  const variant = await fastestVariant(platform, threads);
  const about = `${variant} SIMD`;
  if (work.kind !== "matmul") return { about, ...(await openModelArms(platform, variant, work, threads)) };
  const products = await productArms(platform, variant, work, threads);
  const reads = work.tokens === 1 ? await readArms(platform, variant, work) : {};
  return { about, arms: { ...products.arms, ...reads }, close: products.close };
}

/** The matrix as the file has it, repacked. */
export async function readMatrix(platform: Platform, work: MatmulWork): Promise<WeightData> {
  const data = await writeData(work, 1);
  const path = `${data}.onnx`;
  const name = data.slice(Math.max(data.lastIndexOf("/"), data.lastIndexOf("\\")) + 1);
  writeFileSync(path, onnxBytes(work, { accuracy: 4, nodes: 1, first: 0, data: name }));
  const weights = await openOnnxWeights(platform, path);
  try {
    const [matrix] = weights.stored.values();
    return await matrix.read(await openRepacker(platform));
  } finally {
    await weights.close();
  }
}

async function productArms(platform: Platform, variant: WasmVariant, work: MatmulWork, threads: number) {
  const { rows, cols, group, tokens } = work;
  const [nodes, sets] = [sampleNodes(work), sampleSets(work)];
  const turns = setsASample(work, sets);
  const values = (id: number, width: number): TensorSpec => ({
    ...{ id, name: `tensor ${id}`, class: "activations", part: "decoder", layer: -1, format: "f32" },
    ...{ rows: tokens, cols: width },
  });
  const matrices = Array.from(
    { length: nodes * sets },
    (_, i): TensorSpec => ({
      ...{ id: 2 + i, name: `matrix ${i}`, class: "weights", part: "decoder", layer: i, format: `int4-g${group}` },
      ...{ rows, cols },
    }),
  );
  const backend = await openWasm(platform, { variant, threads });
  await backend.allocate([values(0, cols), values(1, rows), ...matrices]);
  const data = await readMatrix(platform, work);
  for (const { id } of matrices) await backend.upload(id, data);
  const x = seededInput(work);
  backend.write(0, x);
  const output: Op = { kind: "output", x: 1, xRow: 0, rows: tokens, as: "values" };
  let turn = 0;
  const arm = (activations: "f32" | "int8"): Arm => {
    const product = (weight: number): Op => ({
      ...{ kind: "matmul", x: 0, xRow: 0, weight, bias: null, out: 1, rows: tokens, activations },
    });
    const lists = Array.from({ length: sets }, (_, set) => [
      ...Array.from({ length: nodes }, (_, node) => product(2 + set * nodes + node)),
      output,
    ]);
    const submit = () => backend.submit(lists[turn++ % sets]);
    return {
      run: async () => {
        for (let i = 0; i < turns; i++) await submit();
        return { amount: turns * nodes };
      },
      error: async () => errorOf(seededMatrix(work), x, (await submit()).outputs[0]),
    };
  };
  return { arms: { int8: arm("int8"), f32: arm("f32") }, close: () => backend.close() };
}

/** Plain reads with 1, 4 and 8 streams over as many bytes as the matrices have; `run` gives matrices. */
async function readArms(platform: Platform, variant: WasmVariant, work: MatmulWork): Promise<Record<string, Arm>> {
  const { kernels, memory } = await loadKernels(platform, variant);
  const arena = openArena(memory, kernels.heapBase() >>> 0, "plain reads");
  const matrixBytes = storedBytes(work);
  const [nodes, sets] = [sampleNodes(work), sampleSets(work)];
  const at = arena.take(nodes * sets * matrixBytes);
  arena.grow();
  // Pages that were never written are all the one zero page.
  new Uint8Array(memory.buffer, at, nodes * sets * matrixBytes).fill(3);
  let turn = 0;
  const arm = (streams: number): Arm => ({
    run: async () => {
      let bytes = 0;
      for (let i = 0; i < setsASample(work, sets); i++) {
        const from = at + (turn++ % sets) * nodes * matrixBytes;
        bytes += kernels.readBytes(from, nodes * matrixBytes, streams) >>> 0;
      }
      return { amount: bytes / matrixBytes };
    },
    error: async () => null,
  });
  return { r1: arm(1), r4: arm(4), r8: arm(8) };
}
