// The addon's counters against what is known exactly: page faults of touched pages, of children too, and what is refused.

import { spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { EVENT_FLAGS, eventError } from "../../src/core/native.js";
import { FAULTS, needEvents, needNative } from "../support/native.js";

const addon = needNative();
const PAGES = 4096;
/** A program that touches 4096 fresh pages of 4 KiB (Buffer.alloc of so much comes from mmap). */
const TOUCH = `const b = Buffer.allocUnsafeSlow(${PAGES} * 4096); for (let i = 0; i < b.length; i += 4096) b[i] = 1;`;

if (addon && needEvents(addon)) {
  const out = new BigUint64Array(6);
  const errors = new Int32Array(2);

  test("page faults of this thread are counted, and differences are told", () => {
    const set = new addon.CounterSet(new BigUint64Array([FAULTS.type, 0n, FAULTS.config, 0n, 0n]));
    assert.is(set.attach(process.pid, -1, errors), 1);
    set.read(out);
    const bytes = Buffer.allocUnsafeSlow(PAGES * 4096);
    for (let i = 0; i < bytes.length; i += 4096) bytes[i] = 1;
    set.read(out);
    const faults = Number(out[0]);
    // Transparent huge pages would make it fewer than one a page.
    assert.ok(faults >= PAGES / 512 && faults < PAGES * 1.1, `${faults}`);
    assert.is(out[1], out[2], "software events are never multiplexed");
    set.close();
  });

  test("an inherited counter has what a child has done, also after its end", () => {
    const flags = BigInt(EVENT_FLAGS.inherit);
    const set = new addon.CounterSet(new BigUint64Array([FAULTS.type, flags, FAULTS.config, 0n, 0n]));
    set.attach(process.pid, -1, errors);
    set.read(out);
    spawnSync(process.execPath, ["-e", TOUCH]);
    set.read(out);
    assert.ok(Number(out[0]) > 1000, `${out[0]}`);
    set.close();
  });

  test("an event that is not there is refused with ENOENT or counts, and the others still count", () => {
    const hardware = [0n, 0n, 1n, 0n, 0n];
    const set = new addon.CounterSet(new BigUint64Array([FAULTS.type, 0n, FAULTS.config, 0n, 0n, ...hardware]));
    const opened = set.attach(process.pid, -1, errors);
    assert.is(errors[0], 0);
    assert.ok(opened === 2 || [2, 13, 95].includes(errors[1] as number), `${errors[1]}`);
    set.close();
  });

  test("a process that is gone is ESRCH, and every errno has a sentence and a remedy", () => {
    const child = spawnSync(process.execPath, ["-e", ""]);
    const set = new addon.CounterSet(new BigUint64Array([FAULTS.type, 0n, FAULTS.config, 0n, 0n]));
    assert.is(set.attach(child.pid, -1, errors), 0);
    assert.is(errors[0], 3);
    for (const errno of [1, 2, 3, 13, 22, 24, 28, 999]) {
      const { reason, remedy } = eventError(errno);
      assert.ok(reason.length > 5 && remedy.length > 5);
    }
    set.close();
  });

  test("page faults are sampled with their addresses", () => {
    const PERF_SAMPLE_TID_TIME_ADDR = 2 | 4 | 8;
    const spec = new BigUint64Array([FAULTS.type, 1n, FAULTS.config, 0n, 0n]);
    const sampler = new addon.Sampler(spec, 1, 0, PERF_SAMPLE_TID_TIME_ADDR, 64);
    assert.is(sampler.attach(process.pid), 0);
    const bytes = Buffer.allocUnsafeSlow(PAGES * 4096);
    for (let i = 0; i < bytes.length; i += 4096) bytes[i] = 1;
    const samples = new BigUint64Array(2 * PAGES * 5);
    const count = sampler.drain(samples);
    assert.ok(count >= PAGES / 512 && count < 2 * PAGES, `${count}`);
    assert.is(Number(samples[0]), process.pid);
    assert.ok(Number(samples[2]) > 4096);
    assert.is(sampler.lost(), 0);
    sampler.close();
    assert.is(sampler.drain(samples), 0);
  });
}

test.run();
