// Weights into linear memory: int4 records, blocks and f32 as they are, int8 rearranged by the kernel that reads it.

import { InputError } from "../../core/errors.js";
import type { TensorId, TensorSpec } from "../../core/op.js";
import {
  type PackedInt4,
  type PackedInt8,
  packedBlocksBytes,
  packedInt4Bytes,
  type WeightData,
} from "../../core/packed.js";
import { type Place, placeOf, type State } from "./state.js";

/** Fills rows `row`.. of a tensor. Throws InputError when the data is not what the tensor's spec says. */
export function uploadWeights(state: State, id: TensorId, data: WeightData, row: number): void {
  const place = placeOf(state, id);
  check(place.spec, data, row);
  const { buffer } = state.memory;
  switch (data.kind) {
    case "f32":
      new Float32Array(buffer, place.at + row * data.cols * 4, data.values.length).set(data.values);
      return;
    case "int8":
      uploadInt8(state, place, data, row);
      return;
    case "int4":
      uploadInt4(state, place, data, row);
      return;
    case "blocks":
      new Uint8Array(buffer, place.at + packedBlocksBytes(row, data.cols, data.type), data.bytes.length).set(
        data.bytes,
      );
      return;
    default:
      data satisfies never;
  }
}

function uploadInt4(state: State, place: Place, { rows, cols, group, offset, codes }: PackedInt4, row: number): void {
  if (offset !== place.offset) {
    if (row !== 0 || rows !== place.spec.rows) {
      const problem = `was laid out with ${place.offset}, a part of it with ${offset} came`;
      throw new InputError(place.spec.name, "upload", problem, "Name the offset in the tensor's spec");
    }
    // Records with offsets are longer than what was laid out for the format: they go to the end of the memory.
    place.at = state.arena.take(codes.length);
    state.arena.grow();
    place.offset = offset;
  }
  const at = place.at + packedInt4Bytes(row, cols, group, offset);
  new Uint8Array(state.memory.buffer, at, codes.length).set(codes);
}

/** Rows pass through the kernels' scratch in multiples of eight. */
function uploadInt8(
  { kernels, memory, prepared, preparedBytes }: State,
  place: Place,
  data: PackedInt8,
  first: number,
) {
  const { rows, cols } = data;
  const step = Math.max(8, Math.floor(preparedBytes / cols / 8) * 8);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    new Int8Array(memory.buffer, prepared, count * cols).set(data.codes.subarray(row * cols, (row + count) * cols));
    kernels.int8Tile(prepared, first + row, count, cols, place.at);
  }
  new Float32Array(memory.buffer, place.scalesAt + first * 4, rows).set(data.scales);
}

function formatOf(data: WeightData): TensorSpec["format"] {
  if (data.kind === "blocks") return data.type;
  return data.kind === "int4" ? `int4-g${data.group}` : data.kind;
}

function check(spec: TensorSpec, data: WeightData, row: number): void {
  const format = formatOf(data);
  const whole = row === 0 && data.rows === spec.rows;
  const part = row % 8 === 0 && row + data.rows <= spec.rows && (data.rows % 8 === 0 || row + data.rows === spec.rows);
  if (format !== spec.format || !(whole || part) || data.cols !== spec.cols) {
    const problem = `expected ${spec.format} [${spec.rows}, ${spec.cols}], got ${format} [${data.rows}, ${data.cols}]`;
    throw new InputError(spec.name, "upload", problem, "Quantize the tensor to the format of its spec");
  }
  const [got, want] = sizes(data);
  if (got !== want) {
    throw new InputError(spec.name, "upload", `expected ${want} codes, got ${got}`, "Pack the whole matrix");
  }
}

/** Codes, values or bytes that the data has and that its shape needs. */
function sizes(data: WeightData): readonly [number, number] {
  const { rows, cols } = data;
  switch (data.kind) {
    case "f32":
      return [data.values.length, rows * cols];
    case "int8":
      return [data.codes.length, rows * cols];
    case "int4":
      return [data.codes.length, packedInt4Bytes(rows, cols, data.group, data.offset)];
    case "blocks":
      return [data.bytes.length, packedBlocksBytes(rows, cols, data.type)];
    default:
      return data satisfies never;
  }
}
