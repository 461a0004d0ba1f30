// Every forward kernel of the trainer with its backward kernel, as cases for the comparison with finite differences.

import type { Address, TrainModule } from "../../src/train/kernels.js";

export interface Case {
  readonly name: string;
  /** Length of each differentiable input. */
  readonly inputs: readonly number[];
  readonly output: number;
  forward(module: TrainModule, inputs: readonly Address[], output: Address): void;
  /** Adds to (or writes, they start at zero) the gradients of all inputs; called right after `forward`. */
  backward(module: TrainModule, inputs: readonly Address[], cotangent: Address, gradients: readonly Address[]): void;
}

const rows = 6;
const width = 16;
const size = rows * width;

const norms: Case[] = [
  {
    name: "rmsnorm",
    inputs: [size, width],
    output: size,
    forward: ({ kernels, arena }, [x, w], y) => kernels.rmsnorm(x, w, y, arena.alloc(rows), rows, width, 1e-5),
    backward: ({ kernels, arena }, [x, w], dy, [dx, dw]) => {
      const [y, inverse] = [arena.alloc(size), arena.alloc(rows)];
      kernels.rmsnorm(x, w, y, inverse, rows, width, 1e-5);
      kernels.rmsnormBackward(dy, x, w, inverse, dx, dw, rows, width);
    },
  },
  {
    name: "layernorm",
    inputs: [size, width, width],
    output: size,
    forward: ({ kernels, arena }, [x, w, b], y) =>
      kernels.layernorm(x, w, b, y, arena.alloc(2 * rows), rows, width, 1e-5),
    backward: ({ kernels, arena }, [x, w, b], dy, [dx, dw, db]) => {
      const [y, saved] = [arena.alloc(size), arena.alloc(2 * rows)];
      kernels.layernorm(x, w, b, y, saved, rows, width, 1e-5);
      kernels.layernormBackward(dy, x, w, saved, dx, dw, db, rows, width);
    },
  },
];

const pointwise: Case[] = [
  {
    name: "swiglu",
    inputs: [2 * size],
    output: size,
    forward: ({ kernels }, [x], y) => kernels.swiglu(x, y, rows, width),
    backward: ({ kernels }, [x], dy, [dx]) => kernels.swigluBackward(dy, x, dx, rows, width),
  },
  {
    name: "quickGelu",
    inputs: [size],
    output: size,
    forward: ({ kernels }, [x], y) => kernels.quickGelu(x, y, size),
    backward: ({ kernels }, [x], dy, [dx]) => kernels.quickGeluBackward(dy, x, dx, size),
  },
  {
    name: "gelu",
    inputs: [size],
    output: size,
    forward: ({ kernels }, [x], y) => kernels.gelu(x, y, size),
    backward: ({ kernels }, [x], dy, [dx]) => kernels.geluBackward(dy, x, dx, size),
  },
];

/** x [rows, 16], w [24, 16], bias [24]. */
const linear: Case = {
  name: "linear with bias",
  inputs: [size, 24 * width, 24],
  output: rows * 24,
  forward: ({ kernels }, [x, w, b], y) => {
    kernels.linear(x, w, y, rows, width, 24, 0);
    kernels.addBias(y, b, rows, 24);
  },
  backward: ({ kernels }, [x, w], dy, [dx, dw, db]) => {
    kernels.linearInputGradient(dy, w, dx, rows, width, 24, 0);
    kernels.linearWeightGradient(dy, x, dw, rows, width, 24);
    kernels.biasGradient(dy, db, rows, 24);
  },
};

/** Two heads of 8. */
const rope: Case = {
  name: "rope",
  inputs: [size],
  output: size,
  forward: (module, [x], y) => {
    module.kernels.copy(x, y, size);
    turn(module, y, 1);
  },
  backward: (module, _, dy, [dx]) => {
    module.kernels.copy(dy, dx, size);
    turn(module, dx, -1);
  },
};

function turn({ kernels, arena }: TrainModule, x: Address, sign: number): void {
  const table = arena.alloc(32 * 8);
  kernels.ropeTable(table, 32, 4, 10000);
  kernels.rope(x, width, arena.place(Int32Array.from([0, 1, 5, 9, 2, 31])), table, rows, 2, 8, sign);
}

/** 11 tokens, 4 query heads of 8 on 2 KV heads; q, k, v side by side in rows of 64. */
function attention(name: string, segments: readonly number[] | null): Case {
  const [length, padded, stride, heads] = [11, 16, 64, 4];
  const [k, v] = [32 * 4, 48 * 4];
  const run = ({ kernels, arena }: TrainModule, x: Address, out: Address): Address => {
    const p = arena.alloc(heads * length * padded);
    const mask = segments ? arena.place(Int32Array.from(segments)) : 0;
    kernels.attention(x, x + k, x + v, stride, mask, out, 32, p, length, heads, 2, 8);
    return p;
  };
  return {
    name,
    inputs: [length * stride],
    output: length * 32,
    forward: (module, [x], y) => void run(module, x, y),
    backward: (module, [x], dy, [dx]) => {
      const p = run(module, x, module.arena.alloc(length * 32));
      const work = module.arena.alloc(length * padded);
      const shape = [length, heads, 2, 8];
      const gradients = [dx, dx + k, dx + v];
      module.kernels.attentionBackward(
        dy,
        32,
        x,
        x + k,
        x + v,
        stride,
        segments ? 1 : 0,
        p,
        work,
        ...gradients,
        ...shape,
      );
    },
  };
}

/** 2 pictures of 4 patches: class token and positions. */
const assemble: Case = {
  name: "assemble and dropClass",
  inputs: [8 * width, width, 5 * width],
  output: 8 * width,
  forward: ({ kernels, arena }, [patches, first, positions], y) => {
    const x = arena.alloc(10 * width);
    kernels.assemble(patches, first, positions, x, 2, 4, width);
    kernels.quickGelu(x, x, 10 * width);
    kernels.dropClass(x, y, 2, 4, width);
  },
  backward: ({ kernels, arena }, [patches, first, positions], dy, [dpatches, dfirst, dpositions]) => {
    const [x, dx] = [arena.alloc(10 * width), arena.alloc(10 * width)];
    kernels.assemble(patches, first, positions, x, 2, 4, width);
    kernels.dropClassBackward(dy, dx, 2, 4, width);
    kernels.quickGeluBackward(dx, x, dx, 10 * width);
    kernels.assembleBackward(dx, dpatches, dfirst, dpositions, 2, 4, width);
  },
};

/** 2 pictures of 4 x 4 patches to 2 x 2 cells. */
const cellMean: Case = {
  name: "cellMean",
  inputs: [32 * width],
  output: 8 * width,
  forward: ({ kernels }, [x], y) => kernels.cellMean(x, y, 2, 4, 2, width),
  backward: ({ kernels }, _, dy, [dx]) => kernels.cellMeanBackward(dy, dx, 2, 4, 2, width),
};

/** Tokens 3, <image>, 3, <image> over a table of 5 rows and 2 feature rows. */
const embed: Case = {
  name: "embed",
  inputs: [5 * width, 2 * width],
  output: 4 * width,
  forward: ({ kernels, arena }, [table, features], y) => {
    const [tokens, replaced] = imageRows({ kernels, arena });
    kernels.embed(tokens, replaced, table, features, y, 4, width);
  },
  backward: ({ kernels, arena }, _, dy, [dtable, dfeatures]) => {
    const [tokens, replaced] = imageRows({ kernels, arena });
    kernels.embedBackward(dy, tokens, replaced, dtable, dfeatures, 4, width);
  },
};

function imageRows({ kernels, arena }: TrainModule): [Address, Address] {
  const [tokens, replaced] = [arena.place(Int32Array.from([3, 4, 3, 4])), arena.alloc(4)];
  kernels.imageRows(tokens, replaced, 4, 4, 0);
  return [tokens, replaced];
}

/** Losses of 6 rows, 13 classes in rows of 16; the cotangent takes the place of the weights. */
const crossEntropy: Case = {
  name: "crossEntropy",
  inputs: [size],
  output: rows,
  forward: ({ kernels, arena }, [x], losses) => {
    const logits = arena.alloc(size);
    kernels.copy(x, logits, size);
    kernels.crossEntropy(
      logits,
      width,
      13,
      arena.place(targets),
      arena.place(new Float32Array(rows).fill(1)),
      losses,
      rows,
    );
  },
  backward: ({ kernels, arena }, [x], weights, [dx]) => {
    kernels.copy(x, dx, size);
    kernels.crossEntropy(dx, width, 13, arena.place(targets), weights, arena.alloc(rows), rows);
  },
};
const targets = Int32Array.from([0, 12, 5, -1, 7, 7]);

export const cases: readonly Case[] = [
  ...norms,
  ...pointwise,
  linear,
  rope,
  attention("attention, causal with segments", [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3]),
  attention("attention, full", null),
  assemble,
  cellMean,
  embed,
  crossEntropy,
];
