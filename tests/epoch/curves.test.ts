// Raw loaded-latency measurements: CSV and MLC text are read as they are and reduced by rule to curves that are functions.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { leaveOut } from "../../scripts/validate/curves.js";
import { fitQueueNs, pathIdleNs, reduceCurve } from "../../src/delay/curves.js";
import { parseCurves } from "../../src/delay/mlc.js";
import { refuses } from "../support/refuses.js";
import { root } from "../support/root.js";
import { epoch } from "./solver.js";

const MLC = `Intel(R) Memory Latency Checker - v3.10
Command line parameters: --loaded_latency -W2 -d0
Inject  Latency Bandwidth
Delay   (ns)    MB/sec
==========================
 00000\t400.00\t 39000.0
 00002\t410.00\t 40000.0
 00100\t300.00\t 36000.0
 00200\t310.00\t 20000.0
 01000\t250.00\t  4000.0
`;

test("MLC's own text gives one curve with its mix", () => {
  const [curve] = parseCurves("mlc.txt", MLC);
  assert.is(curve.traffic, "W2");
  assert.is(curve.writeShare, 1 / 3);
  assert.equal(curve.points[0], { injectDelay: 0, latencyNs: 400, bandwidthGBps: 39 });
  assert.is(curve.points.length, 5);
});

test("points that bend back are dropped and reported, latencies are lowered to a rising curve, wide steps filled", () => {
  const [raw] = parseCurves("mlc.txt", MLC);
  const reduced = reduceCurve(raw, pathIdleNs([raw]));
  if (!reduced) throw new Error("the curve was rejected");
  assert.is(reduced.idleNs, 250);
  assert.is(reduced.peakGBps, 40);
  assert.equal(
    reduced.dropped.map(({ point, why }) => [point.bandwidthGBps, why]),
    [[39, "bends back"]],
  );
  assert.is(reduced.lowered, 1);
  reduced.points.forEach((point, i) => {
    if (i === 0) return;
    assert.ok(point.bandwidthGBps > reduced.points[i - 1].bandwidthGBps);
    assert.ok(point.addedNs >= reduced.points[i - 1].addedNs);
    assert.ok(point.bandwidthGBps - reduced.points[i - 1].bandwidthGBps <= 4.001);
  });
  assert.is(reduced.filled, reduced.points.length - 4);
});

test("a curve whose latencies are a cache's is rejected, single such points are dropped", () => {
  const head = "path,threads,mlc_traffic,inject_delay,latency_ns,bandwidth_gbps";
  const slow = ["0,300,30", "100,260,20", "1000,250,5"];
  const rows = [
    ...slow.map((line) => `x,8,W0,${line}`),
    ...slow.map((line) => `x,8,W5,${line}`),
    ...["0,400,30", "100,17,20", "1000,16,5"].map((line) => `x,1,W0,${line}`),
    ...["0,20,31", ...slow.slice(1), "50,270,25"].map((line) => `x,1,W5,${line}`),
  ];
  const curves = parseCurves("c.csv", [head, ...rows].join("\n"));
  const idle = pathIdleNs(curves);
  assert.is(idle, 250);
  assert.is(reduceCurve(curves[2], idle), null);
  assert.equal(reduceCurve(curves[3], idle)?.dropped[0], {
    point: { injectDelay: 0, latencyNs: 20, bandwidthGBps: 31 },
    why: "cached",
  });
});

test("the queue's parameter is found again", () => {
  const points = Array.from({ length: 10 }, (_, i) => {
    const v = (i + 1) / 12;
    return { bandwidthGBps: 4 * (i + 1), addedNs: (70 * v) / (1 - v) };
  });
  const reduced = { idleNs: 250, peakGBps: 40, points, dropped: [], lowered: 0, filled: 0 };
  assert.ok(Math.abs(fitQueueNs(reduced) - 70) < 1e-9);
});

test("files that are no measurement are refused by line", async () => {
  await refuses(() => parseCurves("x.txt", "hello"), /x\.txt: holds no loaded-latency lines/);
  await refuses(() => parseCurves("x.csv", "inject_delay,latency\n1,2"), /line 1: has no column latency_ns/);
  const head = "mlc_traffic,inject_delay,latency_ns,bandwidth_gbps";
  await refuses(() => parseCurves("x.csv", `${head}\nW0,1,2`), /line 2: has 3 cells, not 4/);
  await refuses(() => parseCurves("x.csv", `${head}\nW99,1,2,3`), /line 2: traffic W99/);
});

test("measured curves left out are predicted: mixes between known ones to 10 % over 0.7 of the peak", () => {
  const path = join(root, "..", "shared", "data", "cxl_curves.csv");
  if (!existsSync(path)) {
    console.log("skipped: no ../shared/data/cxl_curves.csv beside the project");
    return;
  }
  const scored = leaveOut(epoch, parseCurves(path, readFileSync(path, "utf8")));
  const errors = (split: string) => scored.filter((one) => one.split === split).flatMap((one) => one.errors.heavy);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(mean(errors("mix between known ones")) < 0.1);
  assert.ok(mean(errors("nothing (the reduction itself)")) < 0.02);
});

test.run();
