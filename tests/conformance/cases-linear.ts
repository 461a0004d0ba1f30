// Cases of the products: table look-up, copies, matmul in every format, patch embedding.

import type { ActivationFormat, Op, StorageFormat, TensorId } from "../../src/core/op.js";
import { type Case, caseBuilder } from "./case.js";
import { EXACT, INTEGER_SUMS, SUMS } from "./tolerances.js";

const FORMATS: readonly StorageFormat[] = ["f32", "int8", "int4-g16", "int4-g32", "int4-g64", "int4-g128"];
/** [outputs, inputs]: smaller than a block, ragged in both, whole blocks, many row blocks. */
const SHAPES = [
  [1, 1],
  [5, 7],
  [9, 33],
  [64, 172],
  [24, 128],
  [130, 256],
  [200, 100],
] as const;

export function linearCases(): Case[] {
  return [...FORMATS.flatMap(embedCases), copyCase(), ...matmulCases(), ...offsetCases(), ...patchCases()];
}

function embedCases(format: StorageFormat): Case[] {
  return [33, 128].map((cols) => {
    const b = caseBuilder(cols);
    const table = b.weight(format, 11, cols);
    const out = b.values(6, cols, new Array(6 * cols).fill(0.5));
    const ops: Op[] = [{ kind: "embed", tokens: [10, 0, 3, 3], table, out, outRow: 1 }];
    return b.done(`embed ${format} ${cols} wide`, format === "f32" ? EXACT : SUMS, ops, out);
  });
}

function copyCase(): Case {
  const b = caseBuilder(2);
  const x = b.input(5, 7);
  const vector = b.weight("f32", 1, 7);
  const out = b.values(6, 7, new Array(42).fill(1));
  const ops: Op[] = [
    { kind: "copy", x, xRow: 1, out, outRow: 3, rows: 3 },
    { kind: "copy", x: vector, xRow: 0, out, outRow: 0, rows: 1 },
  ];
  return b.done("copy rows and a weight vector", EXACT, ops, out);
}

function matmulCases(): Case[] {
  return FORMATS.flatMap((format) =>
    SHAPES.flatMap(([outputs, inputs]) =>
      (["f32", "int8"] as const).flatMap((activations) =>
        [1, 2, 5, 19].map((rows) => {
          const b = caseBuilder(outputs * inputs + rows);
          return matmulCase(b, b.weight(format, outputs, inputs), format, [rows, outputs, inputs], activations);
        }),
      ),
    ),
  ).concat(longCases());
}

/** A decode step's width, a prompt longer than a tile, and a deep sum. */
function longCases(): Case[] {
  const sizes = [
    [1, 40, 4096],
    [150, 32, 64],
    [33, 72, 520],
  ] as const;
  return sizes.flatMap(([rows, outputs, inputs]) =>
    (["f32", "int8", "int4-g32", "int4-g128"] as const).flatMap((format) =>
      (["f32", "int8"] as const).map((activations) => {
        const b = caseBuilder(rows + inputs);
        return matmulCase(b, b.weight(format, outputs, inputs), format, [rows, outputs, inputs], activations);
      }),
    ),
  );
}

function offsetCases(): Case[] {
  return (["zeroU4", "bias"] as const).flatMap((offset) =>
    (["int4-g16", "int4-g32", "int4-g64", "int4-g128"] as const).flatMap((format) =>
      (["f32", "int8"] as const).flatMap((activations) =>
        [
          [1, 20, 172],
          [6, 20, 172],
          [3, 70, 1100],
          [133, 9, 1100],
        ].map(([rows, outputs, inputs]) => {
          const b = caseBuilder(rows);
          const weight = b.offsetWeight(offset, format, outputs, inputs);
          return matmulCase(b, weight, `${format} ${offset}`, [rows, outputs, inputs], activations);
        }),
      ),
    ),
  );
}

/** With a bias on odd row counts, and the input one row down. */
function matmulCase(
  b: ReturnType<typeof caseBuilder>,
  weight: TensorId,
  format: string,
  [rows, outputs, inputs]: readonly [number, number, number],
  activations: ActivationFormat,
): Case {
  const x = b.input(rows + 1, inputs, 2);
  const bias = rows % 2 === 1 ? b.weight("f32", 1, outputs) : null;
  const out = b.values(rows, outputs, new Array(rows * outputs).fill(9));
  const ops: Op[] = [{ kind: "matmul", x, xRow: 1, weight, bias, out, rows, activations }];
  const name = `matmul ${format} [${outputs}, ${inputs}] x ${rows}, ${activations} activations${bias === null ? "" : ", bias"}`;
  return b.done(name, activations === "int8" ? INTEGER_SUMS : SUMS, ops, out);
}

function patchCases(): Case[] {
  const sizes = [
    [4, 2, 5],
    [12, 4, 16],
    [64, 16, 24],
    [28, 14, 8],
  ] as const;
  return sizes.flatMap(([imageSize, patch, hidden]) =>
    (["f32", "int8"] as const).map((format) => {
      const b = caseBuilder(imageSize);
      const patches = (imageSize / patch) ** 2;
      const image = b.input(3 * imageSize, imageSize);
      const weight = b.weight(format, hidden, 3 * patch * patch);
      const out = b.values(patches + 1, hidden, new Array((patches + 1) * hidden).fill(7));
      const ops: Op[] = [{ kind: "patchEmbed", image, weight, out, outRow: 1, imageSize, patch }];
      return b.done(`patchEmbed ${format} ${imageSize} by ${patch}`, SUMS, ops, out);
    }),
  );
}
