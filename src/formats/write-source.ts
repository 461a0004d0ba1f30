// An opened model as a source for the writers: every tensor once, as floats, and as its 4-bit codes where it has them.

import type { Model } from "../core/model.js";
import type { Repacker } from "../core/packed.js";
import type { Quantizer } from "../core/ports.js";
import type { StoredMatrix } from "../core/stored.js";
import type { SourceTensor, WriteSource } from "../core/write.js";
import { readFloat32 } from "./convert.js";
import { ownTypeOf } from "./own-type.js";

export interface SourceParts {
  readonly repacker: Repacker;
  readonly quantizer: Pick<Quantizer, "unpack" | "scatterColumns">;
}

/** Reads nothing yet. */
export function writeSource(model: Model, parts: SourceParts): WriteSource {
  const plain = [...model.tensors.values()].map((tensor): SourceTensor => {
    const dtype = ownTypeOf(tensor.dtype);
    const { name, shape } = tensor;
    return { name, shape, floats: () => readFloat32(tensor), ...(dtype ? { dtype } : {}) };
  });
  const stored = [...(model.stored?.values() ?? [])]
    .filter(({ name }) => !model.tensors.has(name))
    .map((matrix) => storedTensor(matrix, parts));
  return { name: model.name, config: model.config, tensors: [...plain, ...stored] };
}

function storedTensor(matrix: StoredMatrix, { repacker, quantizer }: SourceParts): SourceTensor {
  const { name, rows, cols, format, permuted } = matrix;
  const read = () => matrix.read(repacker);
  const floats = async () => {
    const data = await read();
    const values = data.kind === "blocks" ? repacker.unpack(data) : quantizer.unpack(data);
    return permuted ? quantizer.scatterColumns(values, await matrix.order(), rows) : values;
  };
  const group = /^int4-g(16|32|64|128)$/.exec(format)?.[1];
  if (group === undefined || permuted) return { name, shape: [rows, cols], floats };
  const int4 = {
    group: Number(group) as 16 | 32 | 64 | 128,
    offset: matrix.offset ?? "none8",
    async read() {
      const data = await read();
      if (data.kind !== "int4") throw new Error(`${name} was to be ${format}, it is ${data.kind}`);
      return data;
    },
  } as const;
  return { name, shape: [rows, cols], floats, int4 };
}
