// AMD's IBS: found in sysfs, asked for as the kernel takes it, and only misses with addresses count. The kernel's answers are scripted:
// no machine here has the unit.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { samplingUnits } from "../../src/cli/parts/watch-sources.js";
import type { NativeAddon } from "../../src/core/native.js";
import { openSamples } from "../../src/counters/perf/samples.js";
import { openOpSampling, type SamplingUnit, samplingOf } from "../../src/counters/perf/sampling.js";
import { openSession } from "../../src/counters/perf/session.js";
import { type EventSpec, tableSpecs } from "../../src/counters/perf/specs.js";
import { eventTables } from "../support/event-tables.js";
import { temporaryFolder } from "../support/folder.js";

const tables = eventTables();
const named = (part: string) => {
  const table = tables.find(({ name }) => name.includes(part));
  if (!table) throw new Error(`no table is named ${part}`);
  return table;
};
const zen4 = named("Zen 4");
const wanted = zen4.opSample as NonNullable<typeof zen4.opSample>;
const misses = (table: typeof zen4): EventSpec[] => tableSpecs(table).filter(({ name }) => name === "llcMisses");

/** Words of PERF_SAMPLE_DATA_SRC: a load from L1, a load from RAM. */
const FROM_L1 = 0x2n | ((0x8n | 0x2n) << 5n);
const FROM_RAM = 0x2n | ((0x80n | 0x2n) << 5n);

type Asked = readonly [spec: readonly bigint[], period: number, preciseIp: number, sampleType: number];

/** A kernel that refuses sampling with `errno`, or answers the first read with samples of [address, source]. */
function scripted(errno: number, samples: readonly (readonly [bigint, bigint])[] = []) {
  const asked: Asked[] = [];
  class Sampler {
    left = samples;
    constructor(spec: BigUint64Array, period: number, preciseIp: number, sampleType: number) {
      asked.push([[...spec], period, preciseIp, sampleType]);
    }
    attach = () => -errno;
    drain(out: BigUint64Array): number {
      const now = this.left;
      this.left = [];
      out.set(now.flatMap(([address, source]) => [7n, 0n, address, 0n, source]));
      return now.length;
    }
    lost = () => 0;
    close(): void {}
  }
  class CounterSet {
    attach = () => 1;
    read = () => 1;
    close(): void {}
  }
  const threads = (_pid: number, out: Float64Array) => {
    out.set([7, 7, 0]);
    return 1;
  };
  const addon = { platform: "scripted", Sampler, CounterSet, threads, chase: () => 100 } as unknown as NativeAddon;
  return { addon, asked };
}

const MISS = [[0x7f0000001000n, FROM_RAM]] as const;
const OLD: SamplingUnit = { name: "ibs_op", type: 11, formats: ["cnt_ctl"] };
const NEW: SamplingUnit = { ...OLD, formats: ["cnt_ctl", "l3missonly", "swfilt"] };

test("the unit is found with its number and formats; without it there is none", () => {
  const folder = temporaryFolder("sysfs");
  assert.equal(samplingUnits(folder), []);
  mkdirSync(join(folder, "ibs_op", "format"), { recursive: true });
  writeFileSync(join(folder, "ibs_op", "type"), "11\n");
  writeFileSync(join(folder, "ibs_op", "format", "cnt_ctl"), "config:19\n");
  assert.equal(samplingUnits(folder), [OLD]);
});

test("the kernel is left out only where it can filter; sources are asked for, operations counted", () => {
  const [type, flags, cntCtl, swfilt] = [11n, 1n, 0x80000n, 1n];
  // PERF_SAMPLE_TID, TIME, ADDR, DATA_SRC.
  const sampleType = 2 | 4 | 8 | 0x8000;
  const old = scripted(0, MISS);
  const { status, sample, sampled } = openOpSampling(old.addon, wanted, [OLD]);
  assert.ok(status.available && /ibs_op.*unverified/.test(status.detail));
  assert.equal(old.asked, [[[type, 0n, cntCtl, 0n, 0n], 0x8000, 0, sampleType]]);
  assert.is(sampled?.excludeKernel, false);
  assert.equal(sample, { period: wanted.period, preciseIp: 0, anyOp: true });
  const filtering = scripted(0, MISS);
  openOpSampling(filtering.addon, wanted, [NEW]);
  assert.equal(filtering.asked[0]?.[0], [type, flags, cntCtl, 0n, swfilt]);
});

test("a session samples with the table's period, inherited", () => {
  const { addon, asked } = scripted(0, MISS);
  const sampling = samplingOf(zen4, misses(zen4), openOpSampling(addon, wanted, [NEW]));
  const uncore = { events: [], read: () => ({}), close: () => {} };
  const { notes } = openSession(addon, { nowNs: () => 0 }, 7, false, misses(zen4), {
    ...{ uncore, ...sampling, regionsOf: () => [] },
  });
  assert.equal(asked[1], [[11n, 1n | 4n, 0x80000n, 0n, 1n], wanted.period, 0, 2 | 4 | 8 | 0x8000]);
  assert.equal(notes, []);
});

test("only misses share lines out, and those without an address are told as lost", () => {
  const near = { startAddress: 0x1000, sizeBytes: 0x1000, residentBytes: 0x1000, name: "near" };
  const far = { ...near, startAddress: 0x2000, name: "far" };
  const samples = openSamples(
    scripted(0, [
      [0x1000n, FROM_L1],
      [0x1008n, FROM_L1],
      [0x2010n, FROM_RAM],
      [0n, FROM_RAM],
      [0n, 0n],
    ]).addon,
    { words: new BigUint64Array(5), period: 16, preciseIp: 0, anyOp: true },
    [7],
  );
  if (typeof samples === "number") throw new Error(`errno ${samples}`);
  const regions = [near, far].map((one) => ({ ...one, kind: "anon" as const, writable: true }));
  assert.equal(
    samples.read(100, regions).map(({ name }) => name),
    ["far"],
  );
  assert.is(samples.lost(), 1);
});

test("what forbids it has its own advice, and no sampling goes on without misses", () => {
  const tried = (errno: number, unit: SamplingUnit) => openOpSampling(scripted(errno, MISS).addon, wanted, [unit]);
  assert.match(tried(13, OLD).unsampled ?? "", /leave itself out.*perf_event_paranoid to 1.*CAP_PERFMON.*6\.14/);
  assert.match(tried(13, NEW).unsampled ?? "", /perf_event_paranoid \(2 allows/);
  assert.match(tried(22, OLD).unsampled ?? "", /EINVAL.*Linux 6\.2/);
  const silent = openOpSampling(scripted(0, [[0x1000n, FROM_L1]]).addon, wanted, [NEW]);
  assert.match(silent.unsampled ?? "", /no address of a miss/);
  assert.equal([silent.sample, silent.sampled, silent.status.available], [null, null, false]);
});

test("PEBS goes first; without ibs_op there is nothing, and the session says why", () => {
  const { addon, asked } = scripted(0, MISS);
  const spr = named("Sapphire");
  const ops = openOpSampling(addon, wanted, [NEW]);
  assert.is(samplingOf(spr, misses(spr), ops).sample?.preciseIp, 2);
  assert.is(samplingOf(spr, misses(spr), ops).sampled?.name, "llcMisses");
  const cycles = tableSpecs(zen4).filter(({ name }) => name === "cycles");
  assert.equal(samplingOf(zen4, cycles, ops), { sample: null, sampled: null });
  assert.equal(samplingOf(named("N1"), misses(named("N1")), null), { sample: null, sampled: null });
  const without = samplingOf(zen4, misses(zen4), openOpSampling(addon, wanted, []));
  assert.is(without.sample, null);
  const uncore = { events: [], read: () => ({}), close: () => {} };
  const extra = { uncore, ...without, regionsOf: () => [] };
  const { notes } = openSession(addon, { nowNs: () => 0 }, 7, false, misses(zen4), extra);
  assert.match(notes.join(), /no addresses of misses: there is no event unit ibs_op/);
  assert.is(asked.length, 1);
});

test("AMD's tables ask for it and say that nobody has verified it, others do not", () => {
  for (const { name, opSample } of tables) {
    assert.is(opSample?.unit, name.startsWith("AMD") ? "ibs_op" : undefined, name);
    if (opSample) assert.is(opSample.checked, "unverified");
  }
});

test.run();
