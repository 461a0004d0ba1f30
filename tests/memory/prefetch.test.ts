// Layer prefetch by hand: two layers whose weights lie far. What moves while the layer before computes costs nothing; the rest
// is exposed.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { OpMisses, TrafficRecord } from "../../src/core/delay.js";
import type { TensorSpec } from "../../src/core/op.js";
import type { Topology } from "../../src/core/topology.js";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { placeTensors } from "../../src/placement/place.js";
import { nodePlatform } from "../../src/platform/node.js";
import { host } from "../epoch/fixture.js";
import { refuses } from "../support/refuses.js";

const LINES = 1e5;
// 100 ns idle and 10 lines in flight: 6.4 GB/s near; 250 ns far: 2.56 GB/s, so 1e5 lines take 1 ms near and 2.5 ms far.
const HOST = host({
  ...{ idleNs: 100, readGBps: 1000, mixedGBps: 1000, writeGBps: 1000, queueNs: 0, curve: [] },
  linesInFlight: { chase: 1, stride: 10, stream: 10 },
  computeRates: { "int4-int8": 1e9, "int4-f32": 1e9, int8: 1e9, f32: 1e9, attention: 1e9, elementwise: 1e9 },
});
const TOPOLOGY: Topology = {
  ...{ schemaVersion: 1, name: "tiny", description: "", edges: [], defaultPlacement: [], origins: {} },
  pools: [
    { kind: "local", name: "dram", capacityBytes: 1e12 },
    {
      ...{ kind: "far", name: "cxl0", capacityBytes: 1e12, path: [], curve: [], queueNs: 0 },
      ...{ readAdderNs: 150, writeAdderNs: 150, readGBps: 1000, mixedGBps: 1000, writeGBps: 1000 },
    },
  ],
};
const SPECS: readonly TensorSpec[] = [0, 1].map((layer) => ({
  ...{ id: layer, name: `layer ${layer}`, class: "weights", part: "decoder", format: "f32", rows: 1, cols: 1 },
  layer,
}));

/** Two ops, one a layer, that compute for `computeNs` each and stream their weights. */
function record(computeNs: number): TrafficRecord {
  const none = [0, 0] as const;
  const ops = SPECS.map(
    ({ id }): OpMisses => ({
      ...{ family: "f32", macs: computeNs },
      misses: [{ tensor: id, chaseLines: none, strideLines: none, streamLines: [LINES, LINES], writtenLines: none }],
    }),
  );
  return { specs: SPECS, llcBytes: 0, epochs: [ops] };
}

const model = await openTrafficModel(nodePlatform());
function placedNs(computeNs: number, rule: string): number {
  const placed = placeTensors(TOPOLOGY, SPECS, [rule]);
  return model.evaluate(record(computeNs), placed, { host: HOST, threads: 1, measuredNs: null }).total.high.delay
    .placedNs;
}
const isNear = (value: number, wanted: number) =>
  assert.ok(Math.abs(value - wanted) < 1e-3 * wanted, `${value}, not ${wanted}`);

test("compute of 4 ms a layer hides transfers of 2.5 ms", () => {
  isNear(placedNs(4e6, "weights=dram"), 8e6);
  isNear(placedNs(4e6, "weights=prefetch(cxl0)"), 8e6);
});

test("compute of 0.5 ms hides what reading near takes, 1 ms; 1.5 ms of each transfer is exposed", () => {
  isNear(placedNs(0.5e6, "weights=cxl0"), 5e6);
  isNear(placedNs(0.5e6, "weights=prefetch(cxl0)"), 5e6);
});

test("compute of 2 ms: 0.5 ms of each transfer is exposed", () => {
  isNear(placedNs(2e6, "weights=cxl0"), 5e6);
  isNear(placedNs(2e6, "weights=prefetch(cxl0)"), 5e6);
});

test("far reads wait where arithmetic could hide them only in part; prefetch never takes longer than both in turn", () => {
  for (const compute of [0, 1e6, 3e6]) {
    const direct = placedNs(compute, "weights=cxl0");
    const moved = placedNs(compute, "weights=prefetch(cxl0)");
    assert.ok(moved >= placedNs(compute, "weights=dram") - 1);
    assert.ok(moved <= direct + placedNs(compute, "weights=dram"));
  }
});

test("a row of an embedding is no layer: the first layer moves while the last one computes", () => {
  const whole = record(4e6);
  const row: TensorSpec = { ...(SPECS[0] as TensorSpec), id: 2, layer: -1 };
  const none = [0, 0] as const;
  const miss = { tensor: 2, chaseLines: none, strideLines: none, streamLines: [2, 2] as const, writtenLines: none };
  const epoch = [{ family: "f32" as const, macs: 0, misses: [miss] }, ...(whole.epochs[0] ?? [])];
  const placed = placeTensors(TOPOLOGY, [...SPECS, row], ["weights=prefetch(cxl0)"]);
  const run = { ...whole, specs: [...SPECS, row], epochs: [epoch] };
  const { high } = model.evaluate(run, placed, { host: HOST, threads: 1, measuredNs: null }).total;
  isNear(high.delay.placedNs, 8e6);
});

test("bytes are counted on both sides, and the terms sum to the delay", () => {
  const placed = placeTensors(TOPOLOGY, SPECS, ["weights=prefetch(cxl0)"]);
  const { high } = model.evaluate(record(1e6), placed, { host: HOST, threads: 1, measuredNs: null }).total;
  assert.is(high.perPool[1]?.streamedBytes, 2 * LINES * 64, "read far");
  assert.is(high.perPool[0]?.writtenBytes, 2 * LINES * 64, "written near");
  assert.is(high.perPool[0]?.streamedBytes, 2 * LINES * 64, "read near by the kernels");
  const { latencyNs, bandwidthNs, congestionNs, writeBackNs } = high.delay.terms;
  isNear(latencyNs + bandwidthNs + congestionNs + writeBackNs, high.delay.delayNs);
});

test("the pool must exist", async () => {
  await refuses(() => placeTensors(TOPOLOGY, SPECS, ["weights=prefetch(cxl9)"]), /cxl9/);
  await refuses(() => placeTensors(TOPOLOGY, SPECS, ["weights=prefetch()"]), /no pool/);
});

test.run();
