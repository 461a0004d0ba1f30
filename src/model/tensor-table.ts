// Collects the numbered tensors of a graph while it is laid out: an id is an index in the table.

import type { KvFormat, Part, StorageFormat, TensorId, TensorSpec } from "../core/op.js";
import type { ExactForm } from "./plan.js";

export interface TensorTable {
  readonly specs: readonly TensorSpec[];
  /** A weight matrix [outputs, inputs] under its canonical name. */
  weight(name: string, part: Part, layer: number, format: StorageFormat, rows: number, cols: number): TensorId;
  /** A norm or bias vector: always f32. */
  vector(name: string, part: Part, layer: number, cols: number): TensorId;
  activation(name: string, part: Part, rows: number, cols: number): TensorId;
  /** Keys or values; `headDim` columns share a scale in int8. */
  cache(name: string, layer: number, format: KvFormat, rows: number, cols: number, headDim: number): TensorId;
  input(name: string, part: Part, rows: number, cols: number): TensorId;
}

/** @param exact forms of single matrices that win over the format that is asked for */
export function tensorTable(exact?: ReadonlyMap<string, ExactForm>): TensorTable {
  const specs: TensorSpec[] = [];
  const push = (spec: Omit<TensorSpec, "id">): TensorId => specs.push({ id: specs.length, ...spec }) - 1;
  return {
    specs,
    weight(name, part, layer, format, rows, cols) {
      const form: Pick<ExactForm, "format" | "offset"> = exact?.get(name) ?? { format };
      const offset = form.offset ? { offset: form.offset } : {};
      return push({ name, class: "weights", part, layer, format: form.format, rows, cols, ...offset });
    },
    vector: (name, part, layer, cols) => push({ name, class: "weights", part, layer, format: "f32", rows: 1, cols }),
    activation: (name, part, rows, cols) =>
      push({ name, class: "activations", part, layer: -1, format: "f32", rows, cols }),
    cache(name, layer, format, rows, cols, headDim) {
      const width = format === "int8" ? { headDim } : {};
      return push({ name, class: "kv", part: "decoder", layer, format, rows, cols, ...width });
    },
    input: (name, part, rows, cols) => push({ name, class: "input", part, layer: -1, format: "f32", rows, cols }),
  };
}
