// Misses shared out by sampled addresses. Page faults stand in for cache misses: every kernel samples them with their addresses.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionsOf } from "../../src/cli/parts/watched-memory.js";
import { openSamples } from "../../src/counters/perf/samples.js";
import { FAULTS, needEvents, needNative } from "../support/native.js";

const addon = needNative();
const PAGES = 2000;

if (addon && needEvents(addon)) {
  test("lines lie in the region that was touched", () => {
    const words = new BigUint64Array([FAULTS.type, 1n, FAULTS.config, 0n, 0n]);
    const samples = openSamples(addon, { words, period: 1, preciseIp: 0 }, [process.pid]);
    if (typeof samples === "number") throw new Error(`errno ${samples}`);
    const bytes = new Uint8Array(PAGES * 4096);
    for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1;
    const regions = regionsOf(process.pid) ?? [];
    const lines = samples.read(1000, regions);
    const most = lines.reduce((a, b) => (b.irregularLines[1] > a.irregularLines[1] ? b : a));
    // It was touched page by page (or huge page by huge page), so it has most of the faults.
    assert.ok(most.sizeBytes >= bytes.length, JSON.stringify(most));
    assert.ok(most.irregularLines[0] < most.irregularLines[1] && most.irregularLines[1] > 300);
    assert.is(samples.lost(), 0);
    samples.close();
    assert.equal(samples.read(10, []), []);
  });

  test("an event that cannot be sampled gives its errno", () => {
    const words = new BigUint64Array([0n, 1n, 99n, 0n, 0n]);
    assert.type(openSamples(addon, { words, period: 1000, preciseIp: 2 }, [process.pid]), "number");
  });
}

test.run();
