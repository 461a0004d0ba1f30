// A backend that computes nothing: op lists come out of a session on it, for the memory model to read.

import type { Op } from "../../core/op.js";
import type { Backend } from "../../core/ports.js";
import type { Graph } from "../../model/graph.js";

/** Answers every output with zeros. */
export function dryBackend(graph: Graph, target: Backend["target"]): Backend {
  const output = (op: Extract<Op, { kind: "output" }>) =>
    op.as === "argmax" ? new Int32Array(op.rows) : new Float32Array(op.rows * (graph.tensors[op.x]?.cols ?? 0));
  return {
    target,
    allocate: async () => {},
    upload: async () => {},
    write: () => {},
    submit: async (ops) => ({ outputs: ops.flatMap((op) => (op.kind === "output" ? [output(op)] : [])) }),
    residentBytes: () => 0,
    close: async () => {},
  };
}
