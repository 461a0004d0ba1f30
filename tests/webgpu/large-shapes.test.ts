// Weights are cut into bindings; activations and caches are not, and need not be: no tensor of LLaVA-1.5-7B at its longest
// context exceeds the 128 MiB that every device binds. What does is refused by name before any memory is taken.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf } from "../../src/backends/webgpu/memory.js";
import { openWebgpu } from "../../src/backends/webgpu.js";
import type { TensorSpec } from "../../src/core/op.js";
import { buildGraph } from "../../src/model/graph.js";
import { LLAVA_15_LAYERS, llava15 } from "../../src/model/shapes.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";
import { needWebgpu } from "../support/webgpu.js";

/** maxStorageBufferBindingSize that WebGPU promises. */
const LEAST_BINDING = 128 * 2 ** 20;

function tensorsOf(context: number, kv: "f32" | "int8"): readonly TensorSpec[] {
  const plan = { decoder: "int4-g32", vision: "int8", projector: "int8", embedding: "int8", kv } as const;
  // Prompts pass in pieces of 512 tokens (src/cli/parts/subjects.ts); quality asks for the logits of 128.
  const sizes = { context, maxRows: 512, logitRows: 128 };
  return buildGraph(llava15(LLAVA_15_LAYERS), { plan, activations: "int8", ...sizes }).tensors;
}

const beyond = (tensors: readonly TensorSpec[]) =>
  tensors.filter((spec) => spec.class !== "weights" && bytesOf(spec, "none8", spec.rows) > LEAST_BINDING);

test("no activation and no cache of the 7B shape exceeds the least binding at 4096 positions", () => {
  for (const kv of ["f32", "int8"] as const) assert.equal(beyond(tensorsOf(4096, kv)), []);
  const weights = tensorsOf(4096, "f32").filter((spec) => spec.class === "weights");
  const sizes = weights.map((spec) => bytesOf(spec, "none8", spec.rows));
  assert.ok(Math.max(...sizes) > 120 * 2 ** 20, "the embedding is what comes near, and it is cut where it must be");
});

if (needWebgpu()) {
  test("a cache beyond the binding is refused by name, with its size and the device's", async () => {
    const cache = tensorsOf(4096, "f32").find((spec) => spec.class === "kv");
    const longer: TensorSpec = { ...(cache as TensorSpec), id: 0, rows: 16384 };
    assert.equal(beyond([longer]), [longer]);
    const backend = await openWebgpu(nodePlatform(), { maxBindingBytes: LEAST_BINDING });
    await refuses(() => backend.allocate([longer]), /268435456 bytes/, /134217728 at once/, /shorter context/);
    assert.ok(backend.residentBytes() < 1024);
    await backend.close();
  });
}

test.run();
