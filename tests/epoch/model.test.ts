// The delay model end to end: op lists, placement and topology to delays, on a decoder small enough to reason about.
import { readFile } from "node:fs/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { modelledNs, predictedNs, type TrafficRecord } from "../../src/core/delay.js";
import { InputError } from "../../src/core/errors.js";
import { tensorBytes } from "../../src/core/op.js";
import type { PlacedTensors } from "../../src/core/topology.js";
import { weightBytesRead } from "../../src/core/traffic.js";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { placeTensors } from "../../src/placement/place.js";
import { decoder, farPool, host, topology } from "./fixture.js";

const wasm = (name: string) => readFile(new URL(`../../${name}.wasm`, import.meta.url));
const model = await openTrafficModel({ wasm });

// About 1 MiB of f32 weights.
const shape = { hidden: 64, layers: 4, heads: 2, ffn: 256, vocab: 128, context: 64, format: "f32" } as const;
const { specs, epoch } = decoder(shape);
const epochs = [epoch(0, 8), epoch(8, 1), epoch(9, 1)];
const memory = topology([farPool("cxl0", { readAdderNs: 150 }), farPool("cxl1", { readAdderNs: 150 })]);
const record = (llcBytes: number, warmPasses = 0) => model.record({ specs, epochs, llcBytes, warmPasses });
const place = (...rules: string[]) => placeTensors(memory, specs, rules);
const evaluate = (of: TrafficRecord, placed: PlacedTensors, threads = 1, measuredNs: number[] | null = null) =>
  model.evaluate(of, placed, { host: host(), threads, measuredNs });

test("without a cache a pool sees every byte read, and every write back", () => {
  const { epochs: results } = evaluate(record(0), place("weights=cxl0"));
  const { perPool } = results[1].high;
  const cxl = perPool[1];
  assert.is(cxl.streamedBytes + cxl.demandLines * 64, weightBytesRead(epochs[1], specs));
  assert.is(cxl.writtenBytes, 0);
  assert.ok(perPool[0].writtenBytes > 0);
  assert.equal(results[1].low, results[1].high);
});

test("what stays in the cache costs nothing however far its home is", () => {
  const { total } = evaluate(record(64 << 20, 1), place("all=cxl0"));
  assert.is(total.high.delay.delayNs, 0);
  assert.is(total.high.perPool[1].streamedBytes, 0);
  const cold = evaluate(record(64 << 20), place("all=cxl0"));
  assert.ok(cold.total.high.delay.delayNs > 0);
  assert.is(cold.epochs[2].high.delay.terms.writeBackNs, 0);
});

test("a cache between half and all of the working set gives a range", () => {
  const bytes = specs.reduce((sum, spec) => sum + tensorBytes(spec), 0);
  const { total } = evaluate(record(bytes * 0.7, 1), place("weights=cxl0"));
  assert.is(total.low.delay.delayNs, 0);
  assert.ok(total.high.delay.delayNs > 0);
  const { low, high, value } = modelledNs(total);
  assert.is(value, (low + high) / 2);
  assert.is(low, total.low.delay.placedNs);
  const predicted = predictedNs(total, 1e6);
  assert.is(predicted.low, 1e6);
  assert.is(predicted.high, 1e6 + total.high.delay.delayNs);
});

test("weights twice as slow to read make the weights' share of the time twice as long", () => {
  const near = evaluate(record(0), place("weights=dram")).epochs[1].high.delay;
  assert.is(near.delayNs, 0);
  const far = evaluate(record(0), place("weights=cxl0")).epochs[1].high.delay;
  // 150 ns more a line, 20 lines in flight for streams
  const expected = (weightBytesRead(epochs[1], specs) / 64 / 20) * 150;
  assert.ok(Math.abs(far.terms.latencyNs / expected - 1) < 0.01, `${far.terms.latencyNs} is not near ${expected}`);
});

test("a range of layers far away costs its share, halves cost halves", () => {
  const delay = (...rules: string[]) => evaluate(record(0), place(...rules)).epochs[1].high.delay.delayNs;
  const all = delay("weights layers 0-3=cxl0");
  const half = delay("weights layers 0-1=cxl0");
  const split = delay("weights layers 0-3=split(dram:0.5,cxl0:0.5)");
  assert.ok(Math.abs(half / all - 0.5) < 0.01, `${half} of ${all}`);
  assert.ok(Math.abs(split / all - 0.5) < 0.01, `${split} of ${all}`);
});

test("interleaving over two far pools halves what the bandwidth costs", () => {
  const threads = 64;
  const one = evaluate(record(0), place("weights=cxl0"), threads).epochs[1].high.delay;
  const two = evaluate(record(0), place("weights=interleave(cxl0:1,cxl1:1)"), threads).epochs[1].high.delay;
  assert.ok(two.placedNs < one.placedNs * 0.6, `${two.placedNs} of ${one.placedNs}`);
});

test("a measurement longer than the model hides memory time, one epoch at a time", () => {
  const modelled = evaluate(record(0), place("weights=cxl0"));
  const placedNs = modelled.epochs.map((e) => e.high.delay.placedNs);
  const slow = evaluate(record(0), place("weights=cxl0"), 1, [100 * placedNs[0], 0, 0]);
  assert.ok(slow.epochs[0].high.delay.delayNs < 0.5 * modelled.epochs[0].high.delay.delayNs);
  assert.equal(slow.epochs[1], modelled.epochs[1]);
});

test("evaluating again gives the same bits", () => {
  const saved = JSON.parse(JSON.stringify(record(1 << 18, 1))) as TrafficRecord;
  assert.equal(evaluate(saved, place("weights=cxl0")), evaluate(record(1 << 18, 1), place("weights=cxl0")));
});

test("inputs that do not fit together are refused", () => {
  const placed = place("weights=cxl0");
  assert.throws(
    () => evaluate(record(0), placed, 0),
    (error: unknown) => error instanceof InputError,
  );
  assert.throws(
    () => evaluate(record(0), placed, 1, [1]),
    (error: unknown) => error instanceof InputError,
  );
  assert.throws(
    () => evaluate({ ...record(0), specs: specs.slice(1) }, placed),
    (error: unknown) => error instanceof InputError,
  );
});

test.run();
