// Counters that another profiler has taken and samples that were lost are told, never counted as 0. The kernel's answers are scripted:
// no machine here has counters that could be stolen.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { NativeAddon } from "../../src/core/native.js";
import { openSession } from "../../src/counters/perf/session.js";
import type { EventSpec } from "../../src/counters/perf/specs.js";

/** Count, ns enabled, ns running of each event at each read. */
type Reading = readonly (readonly [number, number, number])[];

const SPECS: readonly EventSpec[] = [
  { name: "taskClockNs", type: 1, config: 1n, config1: 0n, excludeKernel: false, software: true },
  { name: "llcMisses", type: 4, config: 0x412en, config1: 0n, excludeKernel: true, software: false },
  { name: "cycles", type: 0, config: 0n, config1: 0n, excludeKernel: true, software: false },
];

/** A kernel that answers `readings` one after another, refuses with `errors`, and has lost `lost` samples by then. */
function scripted(readings: readonly Reading[], errors: readonly number[], lost: readonly number[] = []): NativeAddon {
  let [read, asked] = [0, 0];
  class CounterSet {
    attach(_tid: number, _cpu: number, out: Int32Array): number {
      out.set(errors);
      return errors.filter((errno) => errno === 0).length;
    }
    read(out: BigUint64Array): number {
      out.fill(0n);
      const reading = readings[Math.min(read++, readings.length - 1)] ?? [];
      out.set(reading.flat().map(BigInt));
      return 1;
    }
    close(): void {}
  }
  class Sampler {
    attach = () => 0;
    drain = () => 0;
    lost = () => lost[Math.min(asked++, lost.length - 1)] ?? 0;
    close(): void {}
  }
  const threads = (_pid: number, out: Float64Array) => {
    out.set([7, 7, 0]);
    return 1;
  };
  return { platform: "scripted", CounterSet, Sampler, threads } as unknown as NativeAddon;
}

const clock = { nowNs: () => 0 };
const uncore = { events: [], read: () => ({}), close: () => {} };

function session(addon: NativeAddon, sampled: boolean) {
  const sample = sampled ? { event: "llcMisses", period: 2003, preciseIp: 2 } : null;
  const extra = { uncore, sample, sampled: sampled ? (SPECS[1] as EventSpec) : null, regionsOf: () => [] };
  return openSession(addon, clock, 7, false, SPECS, extra);
}

const RAN = 5_000_000;
const start: Reading = [
  [0, 0, 0],
  [0, 0, 0],
  [0, 0, 0],
];

test("a counter that never ran in an epoch is absent and counted as a loss; one that ran in part tells its share", () => {
  const stolen: Reading = [
    [RAN, RAN, RAN],
    [0, RAN, 0],
    [900, RAN, RAN / 4],
  ];
  const [epoch] = session(scripted([start, stolen], [0, 0, 0]), false).read();
  assert.equal(epoch?.counters, { taskClockNs: RAN, cycles: 900 });
  assert.is(epoch?.lost, 1);
  assert.is(epoch?.runningShare, 0);
  const shared: Reading = [
    [RAN, RAN, RAN],
    [40, RAN, RAN / 2],
    [900, RAN, RAN / 4],
  ];
  const [half] = session(scripted([start, shared], [0, 0, 0]), false).read();
  assert.is(half?.lost, 0);
  assert.is(half?.runningShare, 0.25);
});

test("an event that another program holds exclusively is named in a note", () => {
  const { notes } = session(scripted([start], [0, 16, 0]), false);
  assert.ok(
    notes.some((note) => note.includes("llcMisses")),
    notes.join(),
  );
  assert.throws(() => session(scripted([start], [16, 16, 16]), false), /EBUSY/);
});

test("lost samples are counted once, in the epoch in which they were lost", () => {
  const full: Reading = [
    [RAN, RAN, RAN],
    [40, RAN, RAN],
    [900, RAN, RAN],
  ];
  const watched = session(scripted([start, full], [0, 0, 0], [3, 3, 10]), true);
  assert.equal(
    [1, 2, 3].map(() => watched.read()[0]?.lost),
    [3, 0, 7],
  );
});

test.run();
