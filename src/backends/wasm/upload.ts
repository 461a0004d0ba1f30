// Weights into linear memory: int4 records and f32 as they are, int8 rearranged by the kernel that reads it.

import { InputError } from "../../core/errors.js";
import type { TensorId, TensorSpec } from "../../core/op.js";
import { type PackedInt8, packedInt4Bytes, type WeightData } from "../../core/packed.js";
import { type Place, placeOf, type State } from "./state.js";

/** Throws InputError when the data is not what the tensor's spec says. */
export function uploadWeights(state: State, id: TensorId, data: WeightData): void {
  const place = placeOf(state, id);
  check(place.spec, data);
  switch (data.kind) {
    case "f32":
      new Float32Array(state.memory.buffer, place.at, data.values.length).set(data.values);
      return;
    case "int8":
      uploadInt8(state, place, data);
      return;
    case "int4":
      if (data.offset !== "none8") {
        // Records with offsets are longer than what was laid out for the format: they go to the end of the memory.
        place.at = state.arena.take(data.codes.length);
        state.arena.grow();
      }
      place.offset = data.offset;
      new Uint8Array(state.memory.buffer, place.at, data.codes.length).set(data.codes);
      return;
    default:
      data satisfies never;
  }
}

/** Rows pass through the kernels' scratch in multiples of eight. */
function uploadInt8({ kernels, memory, prepared, preparedBytes }: State, place: Place, data: PackedInt8): void {
  const { rows, cols } = data;
  const step = Math.max(8, Math.floor(preparedBytes / cols / 8) * 8);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    new Int8Array(memory.buffer, prepared, count * cols).set(data.codes.subarray(row * cols, (row + count) * cols));
    kernels.int8Tile(prepared, row, count, cols, place.at);
  }
  new Float32Array(memory.buffer, place.scalesAt, rows).set(data.scales);
}

function check(spec: TensorSpec, data: WeightData): void {
  const format = data.kind === "int4" ? `int4-g${data.group}` : data.kind;
  if (format !== spec.format || data.rows !== spec.rows || data.cols !== spec.cols) {
    const problem = `expected ${spec.format} [${spec.rows}, ${spec.cols}], got ${format} [${data.rows}, ${data.cols}]`;
    throw new InputError(spec.name, "upload", problem, "Quantize the tensor to the format of its spec");
  }
  const got = data.kind === "f32" ? data.values.length : data.codes.length;
  const want =
    data.kind === "int4" ? packedInt4Bytes(data.rows, data.cols, data.group, data.offset) : data.rows * data.cols;
  if (got !== want) {
    throw new InputError(spec.name, "upload", `expected ${want} codes, got ${got}`, "Pack the whole matrix");
  }
}
