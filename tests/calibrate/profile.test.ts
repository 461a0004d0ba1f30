// A calibration of a machine that is known gives its figures back, and the stored file is read as it was written.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MIB } from "../../src/core/units.js";
import { parseHost } from "../../src/placement/calibration.js";
import { calibrationSections } from "../../src/report/calibration.js";
import { calibrationPage, calibrationPlot } from "../../src/report/calibration-page.js";
import { calibrate } from "../../src/run/calibrate.js";
import { refuses } from "../support/refuses.js";
import { DRAM_NS, fakeParts } from "./fake.js";

test("a known machine is found again", async () => {
  const { profile, far, translation, levels } = await calibrate(fakeParts(8));
  assert.is(profile.idleNs, DRAM_NS);
  assert.is(profile.llcBytes, 16 * MIB);
  assert.is(profile.readGBps, 40);
  assert.ok(profile.curve.length > 0, "seven threads of traffic reach the peak");
  assert.ok(Math.abs((profile.curve.at(-1)?.addedNs ?? 0) - 40) < 1);
  assert.is(levels.length, 4);
  assert.is(translation.at(-1)?.ns, 20);
  assert.ok(far.memoryBound);
  assert.ok(profile.linesInFlight.stream >= 10);
});

test("two cores cannot load the memory: the queue stands in, and a note says so", async () => {
  const { profile, notes } = await calibrate(fakeParts(2));
  assert.equal(profile.curve, []);
  assert.match(notes.join("; "), /Too few cores/);
});

test("without threads there is no loaded latency", async () => {
  const { loaded, notes } = await calibrate(fakeParts(0));
  assert.is(loaded.length, 0);
  assert.match(notes.join("; "), /needs a second core/);
});

test("the stored file gives the same profile; a changed one is refused", async () => {
  const calibration = await calibrate(fakeParts(8));
  const text = JSON.stringify(calibration);
  assert.is(parseHost("host.json", text).hash, calibration.profile.hash);
  await refuses(() => parseHost("host.json", text.replace('"idleNs":80', '"idleNs":81')), /profile\.hash/, /changed/);
  await refuses(() => parseHost("host.json", text.replace('"idleNs":80', '"idleNs":-1')), /profile\.idleNs/, /above 0/);
});

test("table, page and plot show it", async () => {
  const calibration = await calibrate(fakeParts(8));
  assert.is(calibrationSections(calibration, true).length, 9);
  const page = calibrationPage(calibration, { script: "", style: "" });
  assert.match(page, /Latency under load/);
  assert.not.match(page, /https?:/);
  assert.ok(calibrationPlot(calibration).length > 10);
});

test.run();
