// Nothing leaks: 100,000 openings and closings of counters leave no file open and no memory behind.

import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { needEvents, needNative } from "../support/native.js";

const addon = needNative();
const CYCLES = 100_000;

if (addon && needEvents(addon)) {
  const specs = new BigUint64Array([1n, 5n, 2n, 0n, 0n]);
  const errors = new Int32Array(1);
  const out = new BigUint64Array(3);
  const openFiles = () => readdirSync("/proc/self/fd").length;

  const cycle = () => {
    const set = new addon.CounterSet(specs);
    set.attach(process.pid, -1, errors);
    set.read(out);
    set.close();
  };
  /** Pauses let the collector's finalizers run. */
  const cycles = async (count: number) => {
    for (let i = 0; i < count; i++) {
      cycle();
      if (i % 500 === 0) await setImmediate();
    }
    return process.memoryUsage.rss();
  };

  test("100,000 counter sets are opened, read and closed", async () => {
    const start = await cycles(CYCLES / 2);
    const files = openFiles();
    const grown = (await cycles(CYCLES / 2)) - start;
    assert.is(openFiles(), files);
    // A leak of 64 bytes a cycle would be 3.2 MB.
    assert.ok(grown < 3_000_000, `resident memory grew by ${grown} bytes`);
  });

  test("what is forgotten is closed when it is collected, what is closed twice harms nothing", () => {
    const set = new addon.CounterSet(specs);
    set.attach(process.pid, -1, errors);
    set.close();
    set.close();
    assert.is(set.read(out), 0);
    const guard = new addon.Guard();
    assert.ok(guard.fd > 2);
    guard.close();
    assert.is(guard.stop(process.pid, 1000), -12);
  });
}

test.run();
