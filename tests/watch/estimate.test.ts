// Sampled touches to lines beyond the cache, on programs that a hand can follow.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { aimAtWord, openRandom, otherWord } from "../../src/counters/breakpoint/aim.js";
import { type Closer, estimateRates, type Probe, poissonSpan } from "../../src/counters/breakpoint/estimate.js";

const MIB = 1 << 20;
const MS = 1e6;

/** A region of which every word is touched once each `periodMs`, seen by `count` probes of 200 ms. */
function swept(region: number, periodMs: number, count: number, stores: number | null = null): Probe[] {
  const touches = Math.round(200 / periodMs);
  return Array.from({ length: count }, () => ({ region, touches, armedNs: 200 * MS, capped: false, stores }));
}
const whole = (region: number): Closer[] => [{ region, words: 8 }];

test("a stream over 64 MB that comes round every 10 ms misses a cache of 16 MB each time", () => {
  const [rate] = estimateRates(swept(1, 10, 100), whole(1), [{ startAddress: 1, residentBytes: 64 * MIB }], 16 * MIB);
  const linesPerNs = MIB / (10 * MS);
  assert.ok(rate && rate.stream[0] <= linesPerNs && rate.stream[1] >= linesPerNs, JSON.stringify(rate));
  // 100 probes: the 95 % interval is some 20 % to either side.
  assert.ok(rate.stream[0] > 0.75 * linesPerNs && rate.stream[1] < 1.3 * linesPerNs);
  assert.equal(rate.irregular, [0, 0]);
});

test("what fits the cache never misses", () => {
  const [rate] = estimateRates(swept(1, 10, 100), whole(1), [{ startAddress: 1, residentBytes: 8 * MIB }], 16 * MIB);
  assert.equal(rate?.stream, [0, 0]);
});

test("between one and two caches it may miss or not", () => {
  const [rate] = estimateRates(swept(1, 10, 100), whole(1), [{ startAddress: 1, residentBytes: 24 * MIB }], 16 * MIB);
  assert.is(rate?.stream[0], 0);
  assert.ok((rate?.stream[1] ?? 0) > 0);
});

test("a hot stack beside a large stream costs nothing, the stream does", () => {
  const hot: Probe[] = Array.from({ length: 5 }, () => ({
    region: 2,
    touches: 2,
    armedNs: 100,
    capped: true,
    stores: null,
  }));
  const sizes = [
    { startAddress: 1, residentBytes: 64 * MIB },
    { startAddress: 2, residentBytes: 4096 },
  ];
  const [stream, stack] = estimateRates([...swept(1, 10, 100), ...hot], [...whole(1), ...whole(2)], sizes, 16 * MIB);
  assert.ok((stream?.stream[0] ?? 0) > 0);
  assert.equal(stack?.stream, [0, 0]);
});

test("one word a visit is irregular; a store after a load is no visit of its own", () => {
  const size = [{ startAddress: 1, residentBytes: 64 * MIB }];
  const [chase] = estimateRates(swept(1, 10, 100), [{ region: 1, words: 1 }], size, 16 * MIB);
  assert.ok((chase?.irregular[0] ?? 0) > 0);
  assert.equal(chase?.stream, [0, 0]);
  const [plain] = estimateRates(swept(1, 10, 100), whole(1), size, 16 * MIB);
  const [pairs] = estimateRates(swept(1, 10, 100, 10), whole(1), size, 16 * MIB);
  assert.ok(Math.abs((pairs?.stream[0] ?? 0) / (plain?.stream[0] ?? 1) - 0.5) < 1e-9);
  assert.is(pairs?.written[1], pairs?.stream[1]);
  assert.is(plain?.written[1], 0);
});

test("nothing touched, nothing told; intervals shrink with the count", () => {
  const none = swept(1, 1e9, 50);
  const [rate] = estimateRates(none, [], [{ startAddress: 1, residentBytes: 64 * MIB }], 16 * MIB);
  assert.equal(rate?.irregular, [0, 0]);
  assert.equal(poissonSpan(0), [0, 0]);
  const [few, many] = [poissonSpan(4), poissonSpan(400)];
  assert.ok(few[0] < many[0] && many[0] < 1 && many[1] > 1 && many[1] < few[1]);
});

test("words are drawn by resident bytes, inside their region, and other words from the same line", () => {
  const region = (startAddress: number, residentBytes: number) => ({
    ...{ startAddress, sizeBytes: 65536, residentBytes, name: "", kind: "anon" as const, writable: true },
  });
  const random = openRandom(7);
  const regions = [region(0x10000, 1000), region(0x40000, 3000), region(0x80000, 0)];
  const counts = new Map<number, number>();
  for (let i = 0; i < 4000; i++) {
    const aim = aimAtWord(regions, random, () => true);
    if (!aim) throw new Error("nothing was aimed at");
    assert.ok(aim.address % 8 === 0 && aim.address >= aim.region.startAddress);
    assert.ok(aim.address < aim.region.startAddress + aim.region.sizeBytes);
    counts.set(aim.region.startAddress, (counts.get(aim.region.startAddress) ?? 0) + 1);
    const other = otherWord(aim.address, random);
    assert.ok(other !== aim.address && Math.floor(other / 64) === Math.floor(aim.address / 64));
  }
  const share = (counts.get(0x40000) ?? 0) / 4000;
  assert.ok(share > 0.72 && share < 0.78, `${share}`);
  assert.is(
    aimAtWord(regions, random, () => false),
    null,
  );
  assert.is(
    aimAtWord([], random, () => true),
    null,
  );
});

test.run();
