// The measuring kernels themselves: chases visit every line once, traffic does what its kind says, and a real calibration memory
// finds a cache faster than DRAM.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openCalibrationMemory } from "../../src/backends/wasm/calibrate.js";
import { loadKernels } from "../../src/backends/wasm/kernels.js";
import { KIB, MIB } from "../../src/core/units.js";
import { nodePlatform } from "../../src/platform/node.js";

const platform = nodePlatform();

for (const variant of ["scalar", "simd"] as const) {
  const { kernels, memory } = await loadKernels(platform, variant);
  const start = (((kernels.heapBase() >>> 0) + 65535) >> 16) << 16;
  memory.grow(32);

  test(`${variant}: a chase is one cycle through all lines, whatever the stride and the block`, () => {
    const cases = [
      [256, 64, 256],
      [256, 128, 32],
      [64, 4160, 64],
    ] as const;
    for (const [count, stride, block] of cases) {
      kernels.linkChase(start, count, stride, block);
      const seen = new Set<number>();
      let at = start;
      for (let i = 0; i < count; i++) {
        seen.add(at);
        assert.is((at - start) % stride, 0);
        assert.is(Math.floor((at - start) / stride / block), Math.floor(i / block), "one block after the other");
        at = kernels.chase(at, 1) >>> 0;
      }
      assert.is(seen.size, count);
      assert.is(at, start, "back at the start");
    }
  });

  test(`${variant}: chains move on by themselves`, () => {
    kernels.linkChase(start, 256, 64, 256);
    const stateAt = start + 65536;
    const state = new Uint32Array(memory.buffer, stateAt, 3);
    state.set([start, start + 64, start + 128]);
    kernels.chains(stateAt, 3, 10);
    assert.equal(
      [...state],
      [start, start + 64, start + 128].map((from) => kernels.chase(from, 10) >>> 0),
    );
  });

  test(`${variant}: reads leave memory alone, fills and copies change it, offsets go round`, () => {
    const bytes = new Uint8Array(memory.buffer, start, 65536);
    const sink = start + 65536;
    bytes.fill(7);
    assert.is(kernels.press(0, start, 65536, 0, 4, 0, sink), 4 * 512);
    assert.ok(bytes.every((byte) => byte === 7));
    // Eight streams of 4160 bytes: eight steps of 512 fill them, the ninth begins anew.
    assert.is(kernels.press(3, start, 65536, 0, 8, 0, sink), 0);
    assert.is(bytes.filter((byte) => byte === 1).length, 8 * 8 * 512);
    bytes.fill(7);
    bytes.fill(9, 0, 512);
    kernels.press(2, start, 65536, 0, 1, 3, sink);
    assert.is(bytes.filter((byte) => byte === 9).length, 1024, "stream 0 stands in stream 4 too");
  });
}

test("a real machine: cache before memory, more chains more bandwidth, traffic of another thread is counted", async () => {
  const memory = await openCalibrationMemory(platform, 1);
  const near = await memory.chaseNs(16 * KIB, { strideBytes: 64, blockBytes: 16 * KIB });
  const far = await memory.chaseNs(256 * MIB, { strideBytes: 128, blockBytes: 4 * MIB });
  assert.ok(near > 0.2 && far > 2 * near, `${near} and ${far} ns`);
  const [one, four] = [await memory.chainsNs(1), await memory.chainsNs(4)];
  assert.ok(four < 3 * one, "four loads at once take less than three in turn");
  assert.ok((await memory.coreStepsPerSecond("read", MIB)) > 0);
  if (memory.threads > 0) {
    const steps = await memory.underPressure(1, async (pressure) => {
      pressure.set("read", 0);
      return pressure.stepsPerSecond();
    });
    assert.ok(steps > 0);
  }
  await memory.close();
});

test.run();
