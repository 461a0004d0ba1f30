// A lost device, work that the device refuses, too much memory and a host without WebGPU end in typed errors that say what to
// do, and the device goes on where it can.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { kindOf } from "../../src/backends/webgpu/adapter.js";
import { guarded } from "../../src/backends/webgpu/shaders.js";
import { webgpuTargets } from "../../src/backends/webgpu/variants.js";
import { adapterFacts, openWebgpu } from "../../src/backends/webgpu.js";
import { UnavailableError } from "../../src/core/errors.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import type { Platform } from "../../src/core/ports.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";
import { needWebgpu } from "../support/webgpu.js";

const spec = (id: number, rows: number, cols: number): TensorSpec => ({
  ...{ id, name: `tensor ${id}`, class: "activations", part: "decoder", layer: -1, format: "f32", rows, cols },
});
const OUTPUT: Op = { kind: "output", x: 0, xRow: 0, rows: 1, as: "values" };

async function unavailable(action: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, UnavailableError, `${(error as Error).stack}`);
    assert.match((error as Error).message, pattern);
    return;
  }
  assert.unreachable("nothing was thrown");
}

/** A platform whose devices tell of their loss a moment after they refused what waited for them, which WebGPU allows. */
function tellingLate(): Platform {
  const platform = nodePlatform();
  const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(resolve, 50, value));
  return {
    ...platform,
    async gpu() {
      const gpu = (await platform.gpu?.()) as GPU;
      const requestAdapter = async () => {
        const adapter = (await gpu.requestAdapter()) as GPUAdapter;
        const { info, features, limits } = adapter;
        const requestDevice = async (descriptor: GPUDeviceDescriptor) => {
          const device = await adapter.requestDevice(descriptor);
          return Object.defineProperty(device, "lost", { value: device.lost.then(later) });
        };
        return { info, features, limits, requestDevice };
      };
      return { requestAdapter, wgslLanguageFeatures: gpu.wgslLanguageFeatures };
    },
  };
}

test("adapters are recognised by what drivers say", () => {
  const kind = (name: string, isFallbackAdapter = false) => kindOf({ isFallbackAdapter }, name);
  assert.is(kind("google, swiftshader, SwiftShader Device (Subzero)"), "software");
  assert.is(kind("mesa, llvmpipe (LLVM 15.0.6, 256 bits)"), "software");
  assert.is(kind("nvidia, ada, NVIDIA GeForce RTX 4090"), "discrete");
  assert.is(kind("amd, rdna-3, AMD Radeon RX 7900 XTX (RADV NAVI31)"), "discrete");
  assert.is(kind("amd, gcn-5, AMD Radeon Graphics (RADV RENOIR)"), "integrated");
  assert.is(kind("intel, xe-lpg, Intel(R) Graphics (MTL)"), "integrated");
  assert.is(kind("intel, xe-2hpg, Intel(R) Arc(TM) B580"), "discrete");
  assert.is(kind("apple, metal-3, Apple M2"), "integrated");
  assert.is(kind("something new"), "gpu");
  assert.is(kind("nvidia", true), "software");
});

test("a host without WebGPU, or without an adapter, says what would help", async () => {
  const none = { ...nodePlatform(), gpu: async () => null };
  await unavailable(() => openWebgpu(none), /npm install webgpu/);
  const empty = { ...nodePlatform(), gpu: async () => ({ requestAdapter: async () => null }) };
  await unavailable(() => adapterFacts(empty), /no adapter/);
  const [status] = await webgpuTargets(none);
  assert.is(status?.available, false);
});

if (needWebgpu()) {
  test("a lost device is told from then on", async () => {
    const backend = await openWebgpu(nodePlatform());
    await backend.allocate([spec(0, 1, 4)]);
    assert.is((await backend.submit([OUTPUT])).outputs.length, 1);
    backend.device.destroy();
    await backend.device.lost;
    await unavailable(() => backend.submit([OUTPUT]), /device was lost.*CPU/);
    await unavailable(() => backend.upload(0, { kind: "f32", rows: 1, cols: 4, values: new Float32Array(4) }), /lost/);
  });

  test("a device that is lost while it works ends the work in a typed error", async () => {
    const backend = await openWebgpu(nodePlatform());
    await backend.allocate([spec(0, 1, 4), spec(1, 512, 4096)]);
    const long: Op = { kind: "gelu", x: 1, out: 1, rows: 512 };
    const pending = backend.submit([...new Array<Op>(20).fill(long), OUTPUT]);
    backend.device.destroy();
    await unavailable(() => pending, /device was lost.*CPU/);
    await unavailable(() => backend.submit([OUTPUT]), /device was lost.*CPU/);
  });

  test("a loss that is told after its work was refused is told as the loss", async () => {
    const backend = await openWebgpu(tellingLate());
    await backend.allocate([spec(0, 1, 4)]);
    const pending = backend.submit([OUTPUT]);
    backend.device.destroy();
    await unavailable(() => pending, /device was lost.*CPU/);
  });

  test("a shader that does not compile is named with the compiler's words, and the device goes on", async () => {
    const platform = nodePlatform();
    const broken = {
      ...platform,
      async readText(path: string) {
        const text = await platform.readText(path);
        return path.endsWith("webgpu.json") ? text.replaceAll("fn gelu(", "fn gelu(oops ") : text;
      },
    };
    const backend = await openWebgpu(broken);
    await backend.allocate([spec(0, 1, 4)]);
    await unavailable(() => backend.submit([{ kind: "gelu", x: 0, out: 0, rows: 1 }, OUTPUT]), /refused.*oops.*CPU/s);
    assert.is((await backend.submit([OUTPUT])).outputs.length, 1);
    await backend.close();
  });

  test("a buffer that cannot be is refused by the device, and the device goes on", async () => {
    const backend = await openWebgpu(nodePlatform());
    await backend.allocate([spec(0, 1, 4)]);
    await unavailable(() => backend.probe.readNs(2 ** 44), /CPU/);
    assert.is((await backend.submit([OUTPUT])).outputs.length, 1);
    await backend.close();
  });

  test("what the device refuses is an error of its own words, and the device goes on", async () => {
    const backend = await openWebgpu(nodePlatform());
    await backend.allocate([spec(0, 1, 4)]);
    const wrong = () => backend.device.createBuffer({ size: 16, usage: 1 | 2 | 128 });
    await unavailable(() => guarded(backend.device, "a test", wrong), /a test.*refused/s);
    assert.is((await backend.submit([OUTPUT])).outputs.length, 1);
    await backend.close();
  });

  test("more memory than the device has is bad input", async () => {
    const backend = await openWebgpu(nodePlatform());
    const { maxBufferBytes, maxBindingBytes } = backend.adapter;
    const rows = Math.floor(Math.min(maxBufferBytes, maxBindingBytes) / 4096) + 8;
    await refuses(() => backend.allocate([spec(0, rows, 1024)]), /tensor 0/, /memory/);
    await backend.close();
  });

  test("f16 where shaders have none is refused", async () => {
    const { shaderF16 } = await adapterFacts(nodePlatform());
    if (!shaderF16) await unavailable(() => openWebgpu(nodePlatform(), { f16: true }), /shader-f16/);
    else await (await openWebgpu(nodePlatform(), { f16: true })).close();
  });

  test("rows and tokens outside of a tensor are refused", async () => {
    const backend = await openWebgpu(nodePlatform());
    await backend.allocate([spec(0, 1, 4), { ...spec(1, 3, 4), class: "weights" }]);
    await refuses(() => backend.submit([{ ...OUTPUT, rows: 2 }]), /tensor 0/, /rows/);
    const embed: Op = { kind: "embed", tokens: [3], table: 1, out: 0, outRow: 0 };
    await refuses(() => backend.submit([embed]), /token 3/, /vocabulary of 3/);
    await backend.close();
  });
}

test.run();
