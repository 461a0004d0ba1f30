// A whole benchmark of a tiny model on the reference backend: every case, every topology, quality, and what may differ
// from run to run.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import type { BenchResult, CaseResult } from "../../src/core/result.js";
import { benchTiny, TINY } from "./tiny-bench.js";

type Measured = Extract<CaseResult, { state: "measured" }>;
const measured = (result: BenchResult) => result.cases.filter((entry): entry is Measured => entry.state === "measured");
const result = await benchTiny(TINY);

test("every format and test is a case with all its rounds", () => {
  const cases = measured(result);
  assert.equal(
    cases.map(({ quant, test }) => `${quant} ${test}`),
    ["f32", "int4-g32"].flatMap((quant) =>
      TINY.workloads.flatMap(({ tests }) => tests.map((name) => `${quant} ${name}`)),
    ),
  );
  assert.ok(cases.every(({ samplesNs }) => samplesNs.length === 6));
  assert.ok(cases.every(({ figures }) => figures.medianNs?.source === "measured"));
});

test("epochs are what was submitted: one a token in decode, the untimed depth left out", () => {
  const decode = measured(result).find(({ test }) => test === "tg4@d4");
  assert.equal(
    decode?.epochs.map(({ phase }) => phase),
    ["decode", "decode", "decode", "decode"],
  );
  const first = measured(result).find(({ test }) => test === "ttft4");
  assert.equal(
    first?.epochs.map(({ phase }) => phase),
    ["vision", "prefill"],
  );
});

test("local changes nothing, far memory without a cache costs something", () => {
  for (const { rows, test: name } of measured(result)) {
    const [local, far] = rows;
    assert.is(local?.delay.delayNs, 0);
    assert.is(local?.slowdown.value, 1);
    // Arithmetic may hide all of it where a weight serves many tokens, never in decode.
    if (name.startsWith("tg")) assert.ok((far?.delay.delayNs ?? 0) > 0);
    assert.ok((far?.missBytesByPool.cxl0 ?? 0) > 0);
  }
});

test("the delay terms add up to the delay", () => {
  for (const row of measured(result).flatMap(({ rows }) => rows)) {
    const { latencyNs, bandwidthNs, congestionNs, writeBackNs } = row.delay.terms;
    const sum = latencyNs + bandwidthNs + congestionNs + writeBackNs;
    assert.ok(Math.abs(sum - row.delay.delayNs) <= 1e-6 * row.delay.placedNs);
  }
});

test("figures keep their kinds apart", () => {
  for (const row of measured(result).flatMap(({ rows }) => rows)) {
    assert.is(row.modelledNs.source, "modelled");
    assert.is(row.predictedNs?.source, "predicted");
  }
});

test("modelled figures have the same bits on a slower machine with another profile", async () => {
  const host = { ...result.frozenHost, idleNs: 333, readGBps: 5, mixedGBps: 4, writeGBps: 3 };
  const slower = await benchTiny(TINY, { stepNs: 77_000, host });
  const modelled = (from: BenchResult) =>
    measured(from).map(({ rows }) => rows.map(({ modelledNs, delay, epochs }) => ({ modelledNs, delay, epochs })));
  assert.equal(modelled(slower), modelled(result));
  assert.not.equal(
    measured(slower).map(({ samplesNs }) => samplesNs),
    measured(result).map(({ samplesNs }) => samplesNs),
  );
});

test("quality: f32 is its own reference, int4 is near it", () => {
  const [f32, int4] = result.quality;
  assert.is(f32?.figures.klText?.value, 0);
  assert.is(f32?.figures.top1?.value, 1);
  const kl = int4?.figures.klText?.value ?? 0;
  assert.ok(kl > 0 && kl < 1, `${kl}`);
});

test("a model that fits the cache costs nothing and the warning says so", async () => {
  const cached = await benchTiny({ ...TINY, llc: 2 ** 30, quality: false });
  assert.ok(measured(cached).every(({ rows }) => rows.every(({ delay }) => delay.delayNs === 0)));
  assert.ok(cached.warnings.some(({ code }) => code === "fits-cache"));
});

test("stopping keeps what was measured", async () => {
  const stopped = await benchTiny(TINY, { looks: 30 });
  assert.ok(stopped.interrupted);
  assert.ok(measured(stopped).length > 0);
  assert.ok(measured(stopped).every(({ samplesNs }) => samplesNs.length < 6));
});

test("spinning measures the slower run", async () => {
  const spun = await benchTiny({ ...TINY, spin: true, quality: false, rounds: 2 });
  const far = measured(spun).flatMap(({ rows }) => rows.filter(({ topology }) => topology !== "local"));
  assert.ok(far.every(({ spunNs }) => spunNs?.source === "measured"));
  const decode = measured(spun).find(({ test }) => test === "tg4@d4");
  const row = decode?.rows[1];
  assert.ok((row?.spunNs?.value ?? 0) > (decode?.figures.medianNs?.value ?? 0));
});

test("a placement that names no pool is bad input before anything is measured", async () => {
  try {
    await benchTiny({ ...TINY, placement: ["weights=moon"] });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, InputError);
    assert.match((error as Error).message, /moon/);
  }
});

test("a context longer than the model has is bad input", async () => {
  const [workload] = TINY.workloads;
  if (!workload) return;
  try {
    await benchTiny({ ...TINY, workloads: [{ ...workload, tests: ["pp65"] }] });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, InputError);
    assert.match((error as Error).message, /65|context/);
  }
});

test.run();
