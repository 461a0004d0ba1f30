// Seeded weights in blocks of every type, and cases of products with them.

import type { Op, TensorSpec } from "../../src/core/op.js";
import { BLOCKS, type BlockType, type PackedBlocks, packedBlocksBytes } from "../../src/core/packed.js";
import { uniform } from "../../src/model/sample.js";
import type { Case } from "./case.js";

/** Types with f32 scales. */
const WIDE: readonly BlockType[] = ["nf4", "affine4", "affine8", "zero4", "zero8"];

/** Random blocks whose scales are small halves. */
export function randomBlocks(type: BlockType, rows: number, cols: number, random: () => number): PackedBlocks {
  const { bytes: size } = BLOCKS[type];
  const bytes = Uint8Array.from({ length: packedBlocksBytes(rows, cols, type) }, () => random() * 256);
  const halves: Partial<Record<BlockType, number[]>> = {
    ...{ f16: [0], q2_k: [80, 82], q3_k: [108], q4_k: [0, 2], q5_k: [0, 2], q6_k: [208], q5_1: [0, 2] },
  };
  for (let at = 0; at < bytes.length; at += size) {
    if (WIDE.includes(type)) for (const high of type === "nf4" ? [3] : [3, 7]) bytes[at + high] = 0x3c;
    else if (type === "bf16") bytes[at + 1] = (bytes[at + 1] & 0x80) | 0x3c;
    else for (const half of halves[type] ?? [0]) bytes[at + half + 1] = (bytes[at + half + 1] & 0x80) | 0x24;
  }
  return { kind: "blocks", type, rows, cols, bytes };
}

/** Products of one token and of many, in both precisions of activations, and rows of the table. */
function blockCase(type: BlockType, tokens: number, activations: "f32" | "int8", random: () => number): Case {
  const [rows, cols] = [43, BLOCKS[type].columns === 1 ? 301 : 512];
  const spec = (id: number, of: TensorSpec["class"], height: number, width: number): TensorSpec => ({
    ...{ id, name: `tensor ${id}`, class: of, part: "decoder", layer: -1, rows: height, cols: width },
    format: id === 0 ? type : "f32",
  });
  const ops: Op[] = [
    { kind: "matmul", x: 1, xRow: 0, weight: 0, bias: null, out: 2, rows: tokens, activations },
    { kind: "embed", tokens: [rows - 1, 0], table: 0, out: 3, outRow: 0 },
    { kind: "output", x: 2, xRow: 0, rows: tokens, as: "values" },
    { kind: "output", x: 3, xRow: 0, rows: 2, as: "values" },
  ];
  return {
    name: `${type} [${rows}, ${cols}] x ${tokens}, ${activations} activations`,
    // Weights are made in f32, products of offsets and scales perhaps in one rounding instead of two.
    tolerance: 3e-6,
    tensors: [
      spec(0, "weights", rows, cols),
      spec(1, "activations", tokens, cols),
      spec(2, "activations", tokens, rows),
      spec(3, "activations", 2, cols),
    ],
    uploads: [[0, randomBlocks(type, rows, cols, random)]],
    writes: [[1, Float32Array.from({ length: tokens * cols }, () => random() * 2 - 1)]],
    ops,
  };
}

export function blockCases(): Case[] {
  const random = uniform(11);
  return (Object.keys(BLOCKS) as BlockType[]).flatMap((type) => [
    blockCase(type, 1, "f32", random),
    blockCase(type, 6, "f32", random),
    blockCase(type, 1, "int8", random),
    blockCase(type, 6, "int8", random),
  ]);
}
