// onnxruntime-genai fuses the projections of queries, keys and values into one node, `qkv_proj`, and their biases into one
// vector: rows [q, k, v], which are cut apart again without being read.

import type { DecoderConfig } from "../core/config.js";
import { elementCount, type LazyTensor } from "../core/tensor.js";
import type { OnnxGraph, OnnxNode } from "./onnx-graph.js";

export type Heads = Pick<DecoderConfig, "heads" | "kvHeads" | "headDim">;

const FUSED = /qkv_proj/;

/** The graph with three nodes, and three biases, in the place of each fused one that has the rows of `heads`. */
export function splitFused(graph: OnnxGraph, { heads, kvHeads, headDim }: Heads): OnnxGraph {
  const parts = [
    { name: "q_proj", first: 0, rows: heads * headDim },
    { name: "k_proj", first: heads * headDim, rows: kvHeads * headDim },
    { name: "v_proj", first: (heads + kvHeads) * headDim, rows: kvHeads * headDim },
  ] as const;
  const all = (heads + 2 * kvHeads) * headDim;
  const tensors = new Map(graph.tensors);
  const split = (node: OnnxNode): readonly OnnxNode[] => {
    if (!FUSED.test(node.name) || node.numbers.get("N") !== all) return [node];
    return parts.map(({ name, first, rows }) => {
      const own = (input: string, i: number): string => {
        const tensor = i === 0 ? undefined : graph.tensors.get(input);
        if (!tensor || tensor.byteLength % all !== 0) return input;
        const slice = rowsOf(tensor, all, first, rows, input.replace(FUSED, name));
        tensors.set(slice.name, slice);
        return slice.name;
      };
      const numbers = new Map([...node.numbers, ["N", rows] as const]);
      return { ...node, name: node.name.replace(FUSED, name), inputs: node.inputs.map(own), numbers };
    });
  };
  const nodes = graph.nodes.flatMap(split);
  for (const tensor of graph.tensors.values()) {
    if (!/qkv_proj\.Add\.bias$/.test(tensor.name) || elementCount(tensor.shape) !== all) continue;
    for (const { name, first, rows } of parts) {
      const slice = rowsOf(tensor, all, first, rows, tensor.name.replace(FUSED, name));
      tensors.set(slice.name, slice);
    }
  }
  return { tensors, nodes };
}

/** `rows` of the `all` rows of a row-major tensor. */
function rowsOf(tensor: LazyTensor, all: number, first: number, rows: number, name: string): LazyTensor {
  const rowBytes = tensor.byteLength / all;
  const { shape } = tensor;
  const cut = shape[0] === all ? [rows, ...shape.slice(1)] : [(elementCount(shape) / all) * rows];
  return { ...tensor, name, shape: cut, offset: tensor.offset + first * rowBytes, byteLength: rows * rowBytes };
}
