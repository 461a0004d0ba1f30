// Cases of norms, positions, caches, attention, activation functions, softmax and output.

import type { Op } from "../../src/core/op.js";
import { type Case, caseBuilder } from "./case.js";
import { EXACT, FUNCTIONS, SUMS } from "./tolerances.js";

export function otherCases(): Case[] {
  return [
    ...normCases(),
    ...ropeCases(),
    scaledRopeCase(),
    gatherCase(),
    ...attentionCases(),
    ...int8CacheCases(),
    ...tileCases(),
    ...farScoreCases(),
    ...functionCases(),
    ...addCases(),
    ...softmaxCases(),
    outputCase(),
  ];
}

function normCases(): Case[] {
  return [3, 64, 172, 1030].flatMap((cols) => {
    const b = caseBuilder(cols);
    const x = b.input(6, cols, 3);
    const weight = b.weight("f32", 1, cols);
    const bias = b.weight("f32", 1, cols);
    const out = b.input(6, cols);
    const rms: Op = { kind: "rmsnorm", x, xRow: 2, weight, out, rows: 4, eps: 1e-5 };
    const layer: Op = { kind: "layernorm", x, weight, bias, out, rows: 6, eps: 1e-5 };
    return [b.done(`rmsnorm ${cols} wide`, SUMS, [rms], out), b.done(`layernorm ${cols} wide`, SUMS, [layer], out)];
  });
}

function ropeCases(): Case[] {
  const sizes = [
    [1, 2, 1, 0],
    [3, 8, 5, 7],
    [4, 32, 2, 500],
    [2, 6, 3, 1],
  ] as const;
  return sizes.flatMap(([heads, headDim, rows, start]) =>
    (["adjacent", "half"] as const).map((style) => {
      const b = caseBuilder(headDim);
      const x = b.input(rows, heads * headDim);
      const ops: Op[] = [{ kind: "rope", x, rows, start, heads, headDim, theta: 10000, style }];
      return b.done(`rope ${style}, ${heads} heads of ${headDim} from ${start}`, FUNCTIONS, ops, x);
    }),
  );
}

function scaledRopeCase(): Case {
  const b = caseBuilder(17);
  const x = b.input(5, 24);
  const rope = { kind: "rope", x, rows: 5, start: 900, heads: 3, headDim: 8, theta: 500000 } as const;
  const ops: Op[] = [
    { ...rope, style: "half", factors: [1, 2, 5.5, 8] },
    { ...rope, style: "adjacent", factors: [4, 4, 4, 4] },
    { ...rope, style: "half", factors: [1, 2, 5.5, 8], gain: 1.25 },
  ];
  return b.done("rope with scaled frequencies", FUNCTIONS, ops, x);
}

function gatherCase(): Case {
  const b = caseBuilder(18);
  const [x, order, out] = [b.input(4, 6), b.values(1, 5, [5, 0, 3, 3, 1]), b.input(4, 5)];
  return b.done("gather columns", EXACT, [{ kind: "gather", x, order, out, rows: 3 }], out);
}

/** The keys and values of a cache that is already filled to `start`, appended to and read. */
function attentionCases(): Case[] {
  const sizes = [
    { heads: 1, kvHeads: 1, headDim: 2, rows: 1, start: 0 },
    { heads: 8, kvHeads: 4, headDim: 8, rows: 1, start: 9 },
    { heads: 8, kvHeads: 4, headDim: 8, rows: 7, start: 3 },
    { heads: 4, kvHeads: 4, headDim: 32, rows: 17, start: 0 },
    { heads: 6, kvHeads: 2, headDim: 10, rows: 5, start: 2 },
    { heads: 4, kvHeads: 1, headDim: 128, rows: 2, start: 150 },
  ] as const;
  return sizes.flatMap(({ heads, kvHeads, headDim, rows, start }) =>
    [true, false].map((causal) => {
      const b = caseBuilder(heads * headDim + rows);
      const width = kvHeads * headDim;
      const [q, k, v] = [b.input(rows, heads * headDim, 2), b.input(rows, width, 2), b.input(rows, width)];
      const [kCache, vCache] = [b.input(start + rows + 2, width, 2), b.input(start + rows + 2, width)];
      const out = b.input(rows, heads * headDim);
      const context = start + rows;
      const ops: Op[] = [
        { kind: "kvStore", k, v, kCache, vCache, rows, start },
        { kind: "attention", q, k: kCache, v: vCache, out, rows, start, context, heads, kvHeads, headDim, causal },
      ];
      const name = `attention ${heads}/${kvHeads} heads of ${headDim}, ${rows} rows from ${start}`;
      return b.done(`${name}, ${causal ? "causal" : "full"}`, FUNCTIONS, ops, out, kCache, vCache);
    }),
  );
}

/** A prompt, then more rows after it, over int8 caches: few rows and many, heads of any width, two turns of positions. */
function int8CacheCases(): Case[] {
  const sizes = [
    { heads: 1, kvHeads: 1, headDim: 2, rows: 1, start: 0 },
    { heads: 4, kvHeads: 4, headDim: 32, rows: 1, start: 70 },
    { heads: 8, kvHeads: 2, headDim: 64, rows: 1, start: 33 },
    { heads: 6, kvHeads: 2, headDim: 10, rows: 5, start: 2 },
    { heads: 4, kvHeads: 4, headDim: 24, rows: 67, start: 9 },
    { heads: 4, kvHeads: 1, headDim: 128, rows: 31, start: 150 },
    { heads: 2, kvHeads: 2, headDim: 256, rows: 41, start: 0 },
    { heads: 4, kvHeads: 2, headDim: 32, rows: 5, start: 230 },
    { heads: 2, kvHeads: 1, headDim: 264, rows: 3, start: 1 },
  ] as const;
  return sizes.flatMap(({ heads, kvHeads, headDim, rows, start }) =>
    [true, false].map((causal) => {
      const b = caseBuilder(heads * headDim + rows + 7);
      const width = kvHeads * headDim;
      const context = start + rows;
      const [kCache, vCache] = [b.int8Cache(context + 2, width, headDim), b.int8Cache(context + 2, width, headDim)];
      const [q, k, v] = [b.input(rows, heads * headDim, 2), b.input(rows, width, 2), b.input(rows, width)];
      const out = b.input(rows, heads * headDim);
      const before = Math.max(1, start);
      const [oldK, oldV] = [b.input(before, width, 3), b.input(before, width, 0.001)];
      const ops: Op[] = [
        { kind: "kvStore", k: oldK, v: oldV, kCache, vCache, rows: before, start: 0 },
        { kind: "kvStore", k, v, kCache, vCache, rows, start },
        { kind: "attention", q, k: kCache, v: vCache, out, rows, start, context, heads, kvHeads, headDim, causal },
      ];
      const name = `attention over int8, ${heads}/${kvHeads} heads of ${headDim}, ${rows} rows from ${start}`;
      return b.done(`${name}, ${causal ? "causal" : "full"}`, FUNCTIONS, ops, out);
    }),
  );
}

/** Rows enough for panels, over f32 caches, on both sides of the context from which they are taken: several units and turns, the last ones ragged. */
function tileCases(): Case[] {
  const sizes = [
    { heads: 4, kvHeads: 2, headDim: 16, rows: 150, start: 5 },
    { heads: 3, kvHeads: 3, headDim: 64, rows: 33, start: 31 },
    { heads: 16, kvHeads: 1, headDim: 8, rows: 1, start: 64 },
    { heads: 2, kvHeads: 1, headDim: 256, rows: 35, start: 1 },
    { heads: 4, kvHeads: 4, headDim: 16, rows: 210, start: 5 },
    { heads: 3, kvHeads: 3, headDim: 64, rows: 33, start: 181 },
    { heads: 16, kvHeads: 1, headDim: 8, rows: 1, start: 264 },
    { heads: 2, kvHeads: 2, headDim: 256, rows: 5, start: 191 },
  ] as const;
  return sizes.flatMap(({ heads, kvHeads, headDim, rows, start }) =>
    [true, false].map((causal) => {
      const b = caseBuilder(heads + headDim + rows);
      const width = kvHeads * headDim;
      const context = start + rows;
      const [q, k, v] = [b.input(rows, heads * headDim, 4), b.input(context, width, 4), b.input(context, width)];
      const out = b.input(rows, heads * headDim);
      const ops: Op[] = [{ kind: "attention", q, k, v, out, rows, start, context, heads, kvHeads, headDim, causal }];
      const name = `attention ${heads}/${kvHeads} heads of ${headDim}, ${rows} rows from ${start} at once`;
      return b.done(`${name}, ${causal ? "causal" : "full"}`, FUNCTIONS, ops, out);
    }),
  );
}

/** Scores a hundred and more apart, as attention sinks have them: most shares are too small for f32. */
function farScoreCases(): Case[] {
  return [1, 9].map((rows) => {
    const [heads, headDim, start] = [3, 32, 40];
    const b = caseBuilder(rows + 300);
    const [width, context] = [heads * headDim, start + rows];
    const [q, k, v] = [b.input(rows, width, 60), b.input(context, width, 2), b.input(context, width)];
    const out = b.input(rows, width);
    const shape = { rows, start, context, heads, kvHeads: heads, headDim, causal: true };
    const ops: Op[] = [{ kind: "attention", q, k, v, out, ...shape }];
    return b.done(`attention over far scores, ${rows} rows`, FUNCTIONS, ops, out);
  });
}

/** Small, usual and far arguments; separate and in place. */
function functionCases(): Case[] {
  return [0.01, 3, 90].flatMap((size) => {
    const single = (["silu", "gelu", "quickGelu"] as const).map((kind) => {
      const b = caseBuilder(size * 100);
      const x = b.input(3, 37, size);
      const out = b.input(3, 37);
      const ops: Op[] = [
        { kind, x, out, rows: 2 },
        { kind, x, out: x, rows: 3 },
      ];
      return b.done(`${kind} up to ${size}`, FUNCTIONS, ops, out, x);
    });
    const b = caseBuilder(size);
    const [gate, up] = [b.input(4, 43, size), b.input(4, 43)];
    const ops: Op[] = [{ kind: "swiglu", gate, up, out: gate, rows: 4 }];
    return [...single, b.done(`swiglu up to ${size}`, FUNCTIONS, ops, gate)];
  });
}

function addCases(): Case[] {
  const b = caseBuilder(5);
  const [x, y, row, out] = [b.input(5, 13), b.input(5, 13), b.weight("f32", 1, 13), b.input(5, 13)];
  const ops: Op[] = [
    { kind: "add", x, y, out, rows: 4 },
    { kind: "add", x, y: row, out: x, rows: 5 },
  ];
  return [b.done("add rows, and one row to all", SUMS, ops, out, x)];
}

function softmaxCases(): Case[] {
  return [1, 5, 100].flatMap((cols) =>
    [1, 300].map((size) => {
      const b = caseBuilder(cols);
      const x = b.input(3, cols, size);
      const out = b.input(3, cols);
      return b.done(`softmax ${cols} wide up to ${size}`, FUNCTIONS, [{ kind: "softmax", x, out, rows: 3 }], out);
    }),
  );
}

/** Values from a row on, and the first of equal largest values. */
function outputCase(): Case {
  const b = caseBuilder(6);
  const x = b.values(3, 5, [0, 0, 0, 0, 0, -3, -1, -2, -1, -5, 1, 2, 3, 4, 5]);
  const ops: Op[] = [
    { kind: "output", x, xRow: 1, rows: 2, as: "values" },
    { kind: "output", x, xRow: 0, rows: 3, as: "argmax" },
    { kind: "output", x, xRow: 1, rows: 1, as: "argmax" },
  ];
  return b.done("output values and argmax", EXACT, ops);
}
