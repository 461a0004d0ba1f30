// A GPU is a host of its own: what it measures of itself has the right units and order, and predictions of its cases rest on
// that alone, with the dispatches' time taken out of what memory could hide behind.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu } from "../../src/backends/webgpu.js";
import { measureGpu } from "../../src/cli/parts/gpu-memory.js";
import { type GpuProfile, type HostProfile, sealProfile } from "../../src/core/host.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { placeTensors } from "../../src/placement/place.js";
import { loadDefaultGpu, loadDefaultHost, loadTopology } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";
import { type Iteration, openEvaluator } from "../../src/run/evaluate.js";
import type { MemoryParts } from "../../src/run/parts.js";
import { needWebgpu } from "../support/webgpu.js";

const platform = nodePlatform();
const frozen = await loadDefaultGpu(platform);
const MIB = 2 ** 20;
/** 64 MiB of weights, read once by one product. */
const SPECS: readonly TensorSpec[] = [
  { id: 0, name: "x", class: "activations", part: "decoder", layer: -1, format: "f32", rows: 1, cols: 4096 },
  { id: 1, name: "y", class: "activations", part: "decoder", layer: -1, format: "f32", rows: 1, cols: 4096 },
  { id: 2, name: "w", class: "weights", part: "decoder", layer: 0, format: "f32", rows: 4096, cols: 4096 },
];
const PRODUCT: Op = { kind: "matmul", x: 0, xRow: 0, weight: 2, bias: null, out: 1, rows: 1, activations: "f32" };

/** 100 GB/s, 640 ns, a cache of `llcBytes`; arithmetic that is never in the way. */
function gpuOf(llcBytes: number, dispatchNs: number): GpuProfile {
  const { hash: _, ...fields } = frozen;
  const memory = { readGBps: 100, mixedGBps: 90, writeGBps: 90, idleNs: 640, llcBytes };
  const linesInFlight = { chase: 1, stride: 1000, stream: 1000 };
  return { adapter: "test", host: sealProfile({ ...fields, ...memory, linesInFlight }), dispatchNs };
}

async function slowdown(measured: GpuProfile, host: HostProfile, measuredNs: number): Promise<number> {
  const topology = await loadTopology(platform, "cxl-1hop");
  const memory: MemoryParts = {
    ...{ traffic: await openTrafficModel(platform), frozenHost: host, host, bandwidth: [], topologies: [topology] },
    gpu: { frozen, measured },
    place: (specs, where, rules) => placeTensors(where, specs, rules),
  };
  const epoch = { phase: "decode", ops: [PRODUCT], nativeNs: measuredNs, leastNs: measuredNs, counters: {} } as const;
  const iteration: Iteration = { specs: SPECS, epochs: [epoch], medianNs: measuredNs, threads: 1, gpu: true };
  const rules = [`weights=${topology.pools[1]?.name}`];
  const row = openEvaluator(memory, "host").row(iteration, topology, memory.place(SPECS, topology, rules));
  return row.slowdown.value;
}

test("the frozen GPU says of each field where it comes from, and is no CPU", async () => {
  const cpu = await loadDefaultHost(platform);
  assert.is.not(frozen.hash, cpu.hash);
  assert.ok(frozen.readGBps > cpu.readGBps && frozen.idleNs > cpu.idleNs);
});

test("predictions of a GPU's case use its own cache: weights that fit it cost nothing, whatever the CPU's holds", async () => {
  const cpu = await loadDefaultHost(platform);
  const measuredNs = (64 * MIB) / 100;
  assert.is(await slowdown(gpuOf(256 * MIB, 0), { ...cpu, llcBytes: 0 }, measuredNs), 1);
  assert.ok((await slowdown(gpuOf(MIB, 0), { ...cpu, llcBytes: 2 ** 32 }, measuredNs)) > 2);
});

test("time that dispatches take hides no memory", async () => {
  const cpu = await loadDefaultHost(platform);
  const memoryNs = (64 * MIB) / 100;
  // Twice as long as its memory takes: either its arithmetic, which hides far memory, or its dispatches, which do not.
  const hidden = (await slowdown(gpuOf(MIB, 0), cpu, 2 * memoryNs)) - 1;
  const told = (await slowdown(gpuOf(MIB, memoryNs), cpu, 2 * memoryNs)) - 1;
  assert.ok(told > hidden * 1.05, `${told} and ${hidden}`);
});

if (needWebgpu()) {
  test("a GPU measures itself, memory and kernels", async () => {
    const { adapter, host, dispatchNs } = await measureGpu(platform, MIB, 64);
    assert.match(adapter, /swiftshader/i);
    assert.is(host.name, `probe of ${adapter}`);
    assert.ok(dispatchNs > 0 && dispatchNs < 1e8, `${dispatchNs} ns a dispatch`);
    assert.ok(host.idleNs >= 1 && host.idleNs < 1e6, `${host.idleNs} ns a read`);
    assert.ok(host.readGBps > 1e-3 && host.readGBps < 1e4, `${host.readGBps} GB/s`);
    const { chase, stream } = host.linesInFlight;
    assert.is(chase, 1);
    assert.ok(stream === 1 || Math.abs((stream * 64) / host.idleNs / host.readGBps - 1) < 0.01, `${stream} lines`);
    assert.ok(host.llcBytes <= MIB);
    assert.ok(Object.values(host.computeRates).every((rate) => rate > 1e3 && rate < 1e15));
    assert.is(host.source, "measured");
  });

  test("a chase gives its buffer back", async () => {
    const backend = await openWebgpu(platform);
    const ns = await backend.probe.chaseNs(2 ** 16);
    assert.ok(ns >= 0 && ns < 1e6, `${ns}`);
    assert.ok(backend.residentBytes() < 2 ** 16, "its buffer is given back");
    await backend.close();
  });
}

test.run();
