// A LLaMA-like decoder as tensor table and op lists, for the tests and the benchmark of the delay model; a far pool; a
// small seeded generator.

import type { HostProfile } from "../../src/core/host.js";
import { sealProfile } from "../../src/core/host.js";
import type { Op, StorageFormat, TensorClass, TensorSpec } from "../../src/core/op.js";
import type { FarPool, Topology } from "../../src/core/topology.js";

export interface Shape {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocab: number;
  readonly context: number;
  readonly format: StorageFormat;
}

export interface Decoder {
  readonly specs: TensorSpec[];
  /** Op list of `rows` tokens from position `start` on. */
  epoch(start: number, rows: number): Op[];
}

/** Tensors in one table: x, n, q, k, v, a, gate, up, logits; then each layer's weights and caches; then embedding and head. */
export function decoder(shape: Shape): Decoder {
  const { hidden, heads, ffn, context } = shape;
  const specs: TensorSpec[] = [];
  const tensor = (
    name: string,
    kind: TensorClass,
    layer: number,
    format: StorageFormat,
    rows: number,
    cols: number,
  ) => {
    const id = specs.length;
    specs.push({ id, name, class: kind, part: "decoder", layer, format, rows, cols });
    return id;
  };
  const activation = (name: string, cols: number) => tensor(name, "activations", -1, "f32", context, cols);
  const [x, n, q, k, v, a] = ["x", "n", "q", "k", "v", "a"].map((name) => activation(name, hidden));
  const [gate, up] = ["gate", "up"].map((name) => activation(name, ffn));
  const logits = activation("logits", shape.vocab);
  const layers = Array.from({ length: shape.layers }, (_, layer) => {
    const weight = (name: string, rows: number, cols: number) =>
      tensor(`${layer}.${name}`, "weights", layer, shape.format, rows, cols);
    const norm = (name: string) => tensor(`${layer}.${name}`, "weights", layer, "f32", 1, hidden);
    const cache = (name: string) => tensor(`${layer}.${name}`, "kv", layer, "f32", context, hidden);
    return {
      norms: [norm("norm1"), norm("norm2")],
      qkv: ["q", "k", "v"].map((name) => weight(name, hidden, hidden)),
      o: weight("o", hidden, hidden),
      gate: weight("gate", ffn, hidden),
      up: weight("up", ffn, hidden),
      down: weight("down", hidden, ffn),
      caches: [cache("kCache"), cache("vCache")],
    };
  });
  const table = tensor("embed", "weights", -1, shape.format, shape.vocab, hidden);
  const epoch = (start: number, rows: number): Op[] => {
    const headDim = hidden / heads;
    const matmul = (from: number, weight: number, out: number): Op => ({
      kind: "matmul",
      x: from,
      xRow: 0,
      weight,
      bias: null,
      out,
      rows,
      activations: "int8",
    });
    const norm = (weight: number): Op => ({ kind: "rmsnorm", x, xRow: 0, weight, out: n, rows, eps: 1e-5 });
    const rope = (of: number): Op => ({
      kind: "rope",
      x: of,
      rows,
      start,
      heads,
      headDim,
      theta: 10000,
      style: "half",
    });
    const tokens = Array.from({ length: rows }, (_, i) => (start + i) % shape.vocab);
    return [
      { kind: "embed", tokens, table, out: x, outRow: 0 },
      ...layers.flatMap((layer): Op[] => [
        norm(layer.norms[0]),
        ...layer.qkv.map((weight, i) => matmul(n, weight, [q, k, v][i])),
        rope(q),
        rope(k),
        { kind: "kvStore", k, v, kCache: layer.caches[0], vCache: layer.caches[1], rows, start },
        {
          kind: "attention",
          q,
          k: layer.caches[0],
          v: layer.caches[1],
          out: a,
          rows,
          start,
          context: start + rows,
          heads,
          kvHeads: heads,
          headDim,
          causal: true,
        },
        matmul(a, layer.o, n),
        { kind: "add", x, y: n, out: x, rows },
        norm(layer.norms[1]),
        matmul(n, layer.gate, gate),
        matmul(n, layer.up, up),
        { kind: "swiglu", gate, up, out: gate, rows },
        matmul(gate, layer.down, n),
        { kind: "add", x, y: n, out: x, rows },
      ]),
      matmul(x, table, logits),
      { kind: "output", x: logits, xRow: 0, rows, as: "argmax" },
    ];
  };
  return { specs, epoch };
}

/** A host with round numbers: 100 ns, 10 GB/s a core at 16 lines in flight less rounding, one-parameter queue. */
export function host(fields: Partial<Omit<HostProfile, "hash">> = {}): HostProfile {
  return sealProfile({
    name: "test",
    idleNs: 100,
    readGBps: 50,
    mixedGBps: 50,
    writeGBps: 50,
    curve: [],
    queueNs: 0,
    llcBytes: 1 << 20,
    linesInFlight: { chase: 1, stride: 10, stream: 20 },
    computeRates: { "int4-int8": 1e12, "int4-f32": 1e12, int8: 1e12, f32: 1e12, attention: 1e12, elementwise: 1e12 },
    source: "assumed",
    ...fields,
  });
}

/** A far pool that equals `host()`'s own memory unless told otherwise. */
export function farPool(name: string, fields: Partial<Omit<FarPool, "kind" | "name">> = {}): FarPool {
  return {
    kind: "far",
    name,
    capacityBytes: 2 ** 40,
    readAdderNs: 0,
    writeAdderNs: 0,
    readGBps: 50,
    mixedGBps: 50,
    writeGBps: 50,
    curve: [],
    queueNs: 0,
    path: [],
    ...fields,
  };
}

export function topology(pools: readonly FarPool[], edges: Topology["edges"] = []): Topology {
  return {
    schemaVersion: 1,
    name: "test",
    description: "",
    pools: [{ kind: "local", name: "dram", capacityBytes: 2 ** 40 }, ...pools],
    edges,
    defaultPlacement: [],
    origins: {},
  };
}

/** Mulberry32: numbers in 0..1 from a seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}
