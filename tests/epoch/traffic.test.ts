// Logical bytes of one decode step through a one-layer decoder, worked out by hand.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Op, TensorSpec } from "../../src/core/op.js";
import { opAccesses, opWork, tensorTraffic, weightBytesRead } from "../../src/core/traffic.js";
import { decoder } from "./fixture.js";

// hidden 64, 2 heads of 32, ffn 128, vocabulary 96, int4 g32: 4.5 bits a weight.
const shape = { hidden: 64, layers: 1, heads: 2, ffn: 128, vocab: 96, context: 16, format: "int4-g32" } as const;
const { specs, epoch } = decoder(shape);
const traffic = (ops: readonly Op[]) => {
  const byId = tensorTraffic(ops, specs);
  return (name: string) => byId[specs.findIndex((spec) => spec.name === name)];
};

test("a decode step reads each weight once and the keys and values so far", () => {
  const at = traffic(epoch(5, 1));
  assert.equal(at("0.q"), { readBytes: (64 * 64 * 4.5) / 8, writtenBytes: 0 });
  assert.equal(at("0.down"), { readBytes: (64 * 128 * 4.5) / 8, writtenBytes: 0 });
  assert.equal(at("0.norm1"), { readBytes: 64 * 4, writtenBytes: 0 });
  assert.equal(at("0.kCache"), { readBytes: 6 * 64 * 4, writtenBytes: 64 * 4 });
  // one row by its token, then all of it as the head
  assert.equal(at("embed"), { readBytes: (64 * 4.5) / 8 + (96 * 64 * 4.5) / 8, writtenBytes: 0 });
  // x: written by embed and two adds; read by two norms, two adds and the head
  assert.equal(at("x"), { readBytes: 5 * 64 * 4, writtenBytes: 3 * 64 * 4 });
  assert.equal(at("logits"), { readBytes: 96 * 4, writtenBytes: 96 * 4 });
});

test("prefill reads weights once however many rows, and writes a row of keys a token", () => {
  const at = traffic(epoch(0, 4));
  assert.is(at("0.q").readBytes, (64 * 64 * 4.5) / 8);
  assert.equal(at("0.vCache"), { readBytes: 4 * 64 * 4, writtenBytes: 4 * 64 * 4 });
  assert.is(at("gate").writtenBytes, 2 * 4 * 128 * 4);
});

test("weight bytes of a step are 4.5 bits a weight and the norms' floats", () => {
  const matrices = 4 * 64 * 64 + 3 * 64 * 128 + 96 * 64;
  assert.is(weightBytesRead(epoch(5, 1), specs), ((matrices + 64) * 4.5) / 8 + 2 * 64 * 4);
});

test("grouped attention reads only the columns of its key heads", () => {
  const kv: TensorSpec = { ...specs[0], id: 0, name: "k", class: "kv", rows: 8, cols: 64 };
  const op: Op = {
    kind: "attention",
    q: 1,
    k: 0,
    v: 0,
    out: 1,
    rows: 1,
    start: 3,
    context: 4,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    causal: true,
  };
  const [, k] = opAccesses(op, [kv, { ...kv, id: 1, class: "activations" }]);
  assert.equal(k, { tensor: 0, offset: 0, bytes: 4 * 2 * 16 * 4, kind: "read", pattern: "stride" });
  const int8: TensorSpec = { ...kv, format: "int8", headDim: 16 };
  assert.is(opAccesses(op, [int8, { ...kv, id: 1, class: "activations" }])[1].bytes, 4 * 2 * (16 + 2));
  // 4 keys seen, q k and p v, 4 heads of 16
  assert.equal(opWork(op, [kv, kv]), { family: "attention", macs: 2 * 4 * 4 * 16 });
});

test("causal prefill meets 1 + 2 + 3 keys, full attention 9", () => {
  const attention = epoch(0, 3).find((op) => op.kind === "attention");
  if (attention?.kind !== "attention") throw new Error("the decoder has an attention");
  assert.is(opWork(attention, specs).macs, 2 * 64 * 6);
  assert.is(opWork({ ...attention, causal: false }, specs).macs, 2 * 64 * 9);
});

test("patch embedding reads the image in strides and its weights once", () => {
  const base = { part: "vision", layer: -1, format: "f32" } as const;
  const table: TensorSpec[] = [
    { ...base, id: 0, name: "image", class: "input", rows: 24, cols: 8 },
    { ...base, id: 1, name: "weight", class: "weights", rows: 10, cols: 48 },
    { ...base, id: 2, name: "out", class: "activations", rows: 5, cols: 10 },
  ];
  const op: Op = { kind: "patchEmbed", image: 0, weight: 1, out: 2, outRow: 1, imageSize: 8, patch: 4 };
  const [image, weight, out] = opAccesses(op, table);
  assert.is(image.bytes, 3 * 8 * 8 * 4);
  assert.is(image.pattern, "stride");
  assert.is(weight.bytes, 10 * 48 * 4);
  assert.equal(out, { tensor: 2, offset: 40, bytes: 4 * 40, kind: "write", pattern: "stream" });
  assert.equal(opWork(op, table), { family: "f32", macs: 4 * 10 * 48 });
});

test("the fixture's ops are counted", () => assert.is(epoch(0, 1).length, 1 + 16 + 2));

test.run();
