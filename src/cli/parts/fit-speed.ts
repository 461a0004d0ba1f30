// Predicted decode speed of a model that was never loaded: its op list at a full context under the traffic model.

import type { KvForm } from "../../compress/budget.js";
import type { ModelConfig } from "../../core/config.js";
import { modelledNs, type TrafficModel } from "../../core/delay.js";
import type { HostProfile } from "../../core/host.js";
import type { Op, StorageFormat } from "../../core/op.js";
import type { Topology } from "../../core/topology.js";
import { decoderOps, headOps } from "../../model/decoder.js";
import { buildGraph, decoderPass } from "../../model/graph.js";
import { placeTensors } from "../../placement/place.js";

export interface SpeedParts {
  readonly traffic: TrafficModel;
  readonly host: HostProfile;
  readonly threads: number;
  readonly topologies: readonly Topology[];
}

/** Form of each part. */
export type Forms = Readonly<Record<"decoder" | "embedding" | "vision" | "projector", StorageFormat>>;

function graphOf(config: ModelConfig, layers: number, scheme: Forms, kv: KvForm, context: number) {
  const { decoder, embedding, vision, projector } = scheme;
  const plan = { decoder, embedding, vision, projector, kv: kv === "int8" ? "int8" : "f32" } as const;
  const text = { architecture: "llama", decoder: { ...config.decoder, layers } } as const;
  return buildGraph(text, { plan, activations: "int8", context, maxRows: 1 });
}

/** Positions that speeds are told at: a full context of at most 1,024. */
export const fullContext = ({ decoder }: ModelConfig): number => Math.min(1024, decoder.maxContext);

/** Throws InputError where a topology cannot hold the model under these rules. */
export function checkPlaced(
  config: ModelConfig,
  layers: number,
  scheme: Forms,
  topologies: readonly Topology[],
  rules: readonly string[],
): void {
  const { tensors } = graphOf(config, layers, scheme, "f16", fullContext(config));
  for (const topology of topologies) placeTensors(topology, tensors, rules);
}

/** Tokens a second by topology; no rules: its own placement. This runtime keeps keys and values in f32 where a plan says f16. */
export function decodeSpeeds(
  config: ModelConfig,
  layers: number,
  scheme: Forms,
  kv: KvForm,
  context: number,
  { traffic, host, threads, topologies }: SpeedParts,
  rules: readonly string[] = [],
): Record<string, number> {
  const graph = graphOf(config, layers, scheme, kv, context);
  const pass = decoderPass(graph);
  const { embedding: table, x, logits } = graph.decoder;
  const ops: Op[] = [
    { kind: "embed", tokens: [1], table, out: x, outRow: 0 },
    ...decoderOps(pass, 1, context - 1),
    ...headOps(pass, 0, 1),
    { kind: "output", x: logits, xRow: 0, rows: 1, as: "argmax" },
  ];
  const run = { specs: graph.tensors, epochs: [ops], llcBytes: host.llcBytes, warmPasses: 1 };
  const record = traffic.record(run);
  const speed = (topology: Topology) => {
    const placed = placeTensors(topology, graph.tensors, rules);
    return 1e9 / modelledNs(traffic.evaluate(record, placed, { host, threads, measuredNs: null }).total).value;
  };
  return Object.fromEntries(topologies.map((topology) => [topology.name, speed(topology)]));
}
