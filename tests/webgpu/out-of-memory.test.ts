// A GPU whose memory runs out says so (GPUOutOfMemoryError of the implementation's own: a software adapter in a process that gets no
// more memory): the model is refused in words or the CPU is named, nothing is kept of what failed, and the device goes on.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu, type WebgpuBackend } from "../../src/backends/webgpu.js";
import { InputError, UnavailableError } from "../../src/core/errors.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import { nodePlatform } from "../../src/platform/node.js";
import { haveChromium, withChromium, withServer } from "../support/browser.js";
import { canLimitMemory, withMemoryLeft } from "../support/memory-limit.js";
import { needWebgpu, WEBGPU_TEST_FLAGS } from "../support/webgpu.js";

const MIB = 2 ** 20;
const LEFT_BYTES = 300 * MIB;
const LARGE_BYTES = 1000 * MIB;
const spec = (id: number, rows: number, cols: number): TensorSpec => ({
  ...{ id, name: `tensor ${id}`, class: "activations", part: "decoder", layer: -1, format: "f32", rows, cols },
});
const LARGE = spec(1, LARGE_BYTES / 4096, 1024);
/** What SwiftShader says is its largest buffer, and has never room for. */
const ALL = spec(1, 2 ** 18, 1024);
const OUTPUT: Op = { kind: "output", x: 0, xRow: 0, rows: 1, as: "values" };

async function openSmall(): Promise<WebgpuBackend> {
  const backend = await openWebgpu(nodePlatform());
  await backend.allocate([spec(0, 1, 4)]);
  await backend.submit([OUTPUT]);
  return backend;
}

const errorOf = (action: Promise<unknown>): Promise<unknown> =>
  action.then(() => null).catch((error: unknown) => error);

if (needWebgpu() && canLimitMemory()) {
  test("tensors beyond the GPU's memory are bad input, and fit once there is room", async () => {
    const backend = await openSmall();
    const before = backend.residentBytes();
    const error = await withMemoryLeft(process.pid, LEFT_BYTES, () => errorOf(backend.allocate([LARGE])));
    assert.instance(error, InputError);
    assert.match((error as Error).message, /10485\d+ bytes do not fit: the GPU has no memory left .*smaller model/s);
    assert.is(backend.residentBytes(), before);
    assert.is((await backend.submit([OUTPUT])).outputs.length, 1);
    await backend.allocate([LARGE]);
    assert.is(backend.residentBytes(), before + LARGE_BYTES);
    await backend.close();
  });

  test("a submission that needs more memory than there is names the CPU, and runs once there is room", async () => {
    const backend = await openSmall();
    const error = await withMemoryLeft(process.pid, LEFT_BYTES, () => errorOf(backend.probe.readNs(LARGE_BYTES)));
    assert.instance(error, UnavailableError);
    assert.match((error as Error).message, /the GPU has no memory left .*--target wasm-simd/s);
    assert.is((await backend.submit([OUTPUT])).outputs.length, 1);
    assert.ok((await backend.probe.readNs(64 * MIB)) > 0, "the buffer that could not be is not bound again");
    await backend.close();
  });
}

/** What the page keeps between two calls. */
type Scope = { backend: WebgpuBackend };

if (haveChromium()) {
  test("in Chromium the backend says the same, and goes on", async () => {
    const opened = async ([base, first]: readonly [string, TensorSpec]) => {
      const { openWebgpu } = await import(`${base}build/src/backends/webgpu.js`);
      const { browserPlatform } = await import(`${base}build/src/platform/browser.js`);
      const backend: WebgpuBackend = await openWebgpu(browserPlatform(base));
      await backend.allocate([first]);
      Object.assign(globalThis, { backend });
    };
    const refused = (large: TensorSpec) =>
      (globalThis as unknown as Scope).backend.allocate([large]).then(
        () => "",
        ({ message }) => message,
      );
    const goesOn = async (op: Op) => (await (globalThis as unknown as Scope).backend.submit([op])).outputs.length;
    await withServer(({ url }) =>
      withChromium(async (open) => {
        const { page } = await open(`${url}profiles/host-gpu.json`);
        await page.evaluate(opened, [url, spec(0, 1, 4)] as const);
        const message = await page.evaluate(refused, ALL);
        assert.match(message, /bytes do not fit: the GPU has no memory left .*smaller model/s);
        assert.is(await page.evaluate(goesOn, OUTPUT), 1);
        assert.is(await page.evaluate(refused, LARGE), "", "a little less fits");
      }, WEBGPU_TEST_FLAGS),
    );
  });
}

test.run();
