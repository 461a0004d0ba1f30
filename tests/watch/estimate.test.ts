// Sampled touches to lines beyond the cache, on programs that a hand can follow.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { aimAtWord, openRandom, otherWord } from "../../src/counters/breakpoint/aim.js";
import { type Closer, estimateRates, type Probe, type RegionRate } from "../../src/counters/breakpoint/estimate.js";
import { jointFactor, poissonSpan, shareSpan } from "../../src/counters/breakpoint/intervals.js";

const MIB = 1 << 20;
const MS = 1e6;
const LOOK = 200 * MS;

/** First touches of words that are touched once each `periodMs`, looked at from `count` moments spread evenly over it. */
function swept(region: number, periodMs: number, count: number, stores: boolean | null = null): Probe[] {
  return Array.from({ length: count }, (_, i) => {
    const touchedNs = ((i + 0.5) / count) * periodMs * MS;
    return { region, touchedNs: touchedNs <= LOOK ? touchedNs : null, lookNs: LOOK, stores };
  });
}
/** Other words of its lines are touched at once, or never. */
const closer = (region: number, all: boolean, count = 40): Closer[] =>
  Array.from({ length: count }, () => ({ region, apartNs: all ? 100 : Number.POSITIVE_INFINITY }));
const size = (startAddress: number, residentBytes: number) => ({ startAddress, residentBytes, writable: true });
const both = (rate: RegionRate | undefined): readonly [number, number] => [
  (rate?.stream[0] ?? 0) + (rate?.irregular[0] ?? 0),
  (rate?.stream[1] ?? 0) + (rate?.irregular[1] ?? 0),
];

test("a stream over 64 MB that comes round every 10 ms misses a cache of 16 MB each time", () => {
  const { rates, replacedNs } = estimateRates(swept(1, 10, 400), closer(1, true), [size(1, 64 * MIB)], 16 * MIB);
  const [low, high] = both(rates[0]);
  const linesPerNs = MIB / (10 * MS);
  assert.ok(low <= linesPerNs && high >= linesPerNs, JSON.stringify(rates));
  // 200 and 50 touches in the windows; the closer looks leave as much open again.
  assert.ok(low > 0.75 * linesPerNs && high < 2 * linesPerNs, `${low} ${high} ${linesPerNs}`);
  assert.is(rates[0]?.irregular[1], 0);
  // Two caches are half of the memory: half of the time.
  assert.ok(Math.abs((replacedNs ?? 0) / (5 * MS) - 1) < 0.02, `${replacedNs}`);
});

test("what fits the cache never misses", () => {
  const { rates } = estimateRates(swept(1, 10, 100), closer(1, true), [size(1, 8 * MIB)], 16 * MIB);
  assert.equal(both(rates[0]), [0, 0]);
});

test("between one and two caches it may miss or not", () => {
  const { rates } = estimateRates(swept(1, 10, 100), closer(1, true), [size(1, 24 * MIB)], 16 * MIB);
  const [low, high] = both(rates[0]);
  assert.is(low, 0);
  assert.ok(high > (24 * MIB) / 64 / (10 * MS) && high < (2.5 * 24 * MIB) / 64 / (10 * MS), `${high}`);
});

test("a hot stack beside a large stream costs little, the stream does", () => {
  const hot: Probe[] = Array.from({ length: 60 }, () => ({ region: 2, touchedNs: 100, lookNs: LOOK, stores: null }));
  const { rates } = estimateRates(
    [...swept(1, 10, 400), ...hot],
    [...closer(1, true), ...closer(2, true)],
    [size(1, 64 * MIB), size(2, 4096)],
    16 * MIB,
  );
  assert.ok(both(rates[0])[0] > 0);
  // Its 64 lines may each have gone once while the cache was replaced, no more often.
  assert.is(both(rates[1])[0], 0);
  assert.ok(both(rates[1])[1] <= 64 / (2.4 * MS), `${both(rates[1])[1]}`);
});

test("bursts of touches count as the visit that they are", () => {
  // Words that are touched eight times in a row have the first touch of those that are touched once.
  const { rates } = estimateRates(swept(1, 10, 400), closer(1, true), [size(1, 64 * MIB)], 16 * MIB);
  const [low, high] = both(rates[0]);
  assert.ok(low < MIB / (10 * MS) && high > MIB / (10 * MS));
});

test("one word a visit is irregular, and a line each", () => {
  const { rates } = estimateRates(swept(1, 10, 400), closer(1, false), [size(1, 64 * MIB)], 16 * MIB);
  const wordsPerNs = (8 * MIB) / (10 * MS);
  assert.is(rates[0]?.stream[1], 0);
  const [low, high] = both(rates[0]);
  // Its lines fill the cache after an eighth of the words: both windows lie there.
  assert.ok(low > 0.5 * wordsPerNs && high <= 8 * wordsPerNs && high >= wordsPerNs, `${low} ${high} ${wordsPerNs}`);
});

test("of visits that store, the lines come back dirty; memory that cannot be written has none", () => {
  const at = (stores: boolean | null, writable = true) =>
    estimateRates(swept(1, 10, 400, stores), closer(1, true), [{ ...size(1, 64 * MIB), writable }], 16 * MIB).rates[0];
  const [all, none, unknown, fixed] = [at(true), at(false), at(null), at(true, false)];
  assert.ok((all?.written[0] ?? 0) > 0.9 * both(all)[0] && (all?.written[1] ?? 0) > 0.999 * both(all)[1]);
  assert.ok((none?.written[1] ?? 1) < 0.05 * both(none)[1] && none?.written[0] === 0);
  assert.equal([unknown?.written[0], unknown?.written[1]], [0, both(unknown)[1]]);
  assert.equal(fixed?.written, [0, 0]);
});

test("nothing touched, nothing told", () => {
  const { rates, replacedNs } = estimateRates(swept(1, 1e9, 50), [], [size(1, 64 * MIB)], 16 * MIB);
  assert.equal(both(rates[0]), [0, 0]);
  assert.is(replacedNs, null);
});

test("Poisson intervals are Garwood's, shares Wilson's", () => {
  const near = (a: number, b: number, by: number) => assert.ok(Math.abs(a - b) <= by, `${a} ${b}`);
  const [none, one, ten, hundred] = [0, 1, 10, 100].map(poissonSpan);
  assert.is(none?.[0], 0);
  near(none?.[1] ?? 0, 3.689, 0.03);
  near(one?.[0] ?? 0, 0.0253, 0.0125);
  near(one?.[1] ?? 0, 5.572, 0.03);
  near(ten?.[0] ?? 0, 4.795, 0.02);
  near(ten?.[1] ?? 0, 18.39, 0.02);
  near(hundred?.[0] ?? 0, 81.36, 0.02);
  near(hundred?.[1] ?? 0, 121.6, 0.05);
  assert.equal(shareSpan(0, 0), [0, 1]);
  near(shareSpan(5, 10)[0], 0.2366, 0.001);
  near(shareSpan(10, 10)[0], 0.7225, 0.001);
  assert.is(jointFactor(1, 1), 1);
  near(jointFactor(2, 3), Math.exp(Math.hypot(Math.log(2), Math.log(3))), 1e-12);
});

test("of 400 programs with two regions of known rates at least 95 % lie in their intervals", () => {
  const random = openRandom(11);
  const sizes = [size(1, 96 * MIB), size(2, 32 * MIB)];
  // A stream that comes round in 40 ms, and a chase with one word a line in 90 ms.
  const probe = (region: number, periodMs: number): Probe => {
    const touchedNs = random() * periodMs * MS;
    const missed = region === 2 && random() > 1 / 8;
    return { region, touchedNs: missed || touchedNs > LOOK ? null : touchedNs, lookNs: LOOK, stores: null };
  };
  const truth = [(96 * MIB) / 64 / (40 * MS), (32 * MIB) / 64 / (90 * MS)];
  const inside = [0, 0];
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    const probes = Array.from({ length: 150 }, () => (random() < 0.75 ? probe(1, 40) : probe(2, 90)));
    const lines = [...closer(1, true, 12), ...closer(2, false, 4)];
    const { rates } = estimateRates(probes, lines, sizes, 16 * MIB);
    for (const i of [0, 1]) {
      const [low, high] = both(rates[i]);
      inside[i] += low <= (truth[i] as number) && high >= (truth[i] as number) ? 1 : 0;
    }
  }
  assert.ok(
    inside.every((count) => count >= 0.95 * runs),
    inside.map((count) => count / runs).join(" "),
  );
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
