// Weights into GPU buffers as they are packed; only int8 rows move apart, to a multiple of 32 columns.

import { InputError } from "../../core/errors.js";
import { type PackedInt8, packedBlocksBytes, packedInt4Bytes, type WeightData } from "../../core/packed.js";
import { bytesOf, type Chunk, type Heap, int8Stride, placeTensor, roundUp, type Tensor } from "./memory.js";

/** Bytes to a buffer; writes are whole words, so that a ragged end is padded. */
export function writeBytes(device: GPUDevice, { held }: Pick<Chunk, "held">, at: number, bytes: Uint8Array): void {
  const whole = bytes.length - (bytes.length % 4);
  if (whole > 0) device.queue.writeBuffer(held.buffer, at, bytes.buffer as ArrayBuffer, bytes.byteOffset, whole);
  if (whole === bytes.length) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  device.queue.writeBuffer(held.buffer, at + whole, tail);
}

const asBytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Fills rows `row`.. of a tensor. Throws InputError when the data is not what the tensor's spec says. */
export function uploadWeights(
  device: GPUDevice,
  heap: Heap,
  tensor: Tensor,
  data: WeightData,
  row: number,
  most: number,
): void {
  check(tensor, data, row);
  if (data.kind === "int4" && data.offset !== tensor.offset)
    layOutAgain(heap, tensor, data.offset, row, data.rows, most);
  for (const chunk of tensor.chunks) {
    const from = Math.max(row, chunk.firstRow);
    const to = Math.min(row + data.rows, chunk.firstRow + chunk.rows);
    if (from < to) uploadRows(device, chunk, data, from - row, to - from, from - chunk.firstRow);
  }
}

/** Records with offsets are longer than what was laid out for the format. */
function layOutAgain(
  heap: Heap,
  tensor: Tensor,
  offset: Tensor["offset"],
  row: number,
  rows: number,
  most: number,
): void {
  if (row !== 0 || rows !== tensor.spec.rows) {
    const problem = `was laid out with ${tensor.offset}, a part of it with ${offset} came`;
    throw new InputError(tensor.spec.name, "upload", problem, "Name the offset in the tensor's spec");
  }
  for (const { held } of tensor.chunks) heap.release(held);
  Object.assign(tensor, placeTensor(heap, tensor.spec, offset, most));
}

/** Rows `from`.. of the data to row `at` of a chunk. */
function uploadRows(device: GPUDevice, chunk: Chunk, data: WeightData, from: number, rows: number, at: number): void {
  if (data.kind === "int8") {
    uploadInt8(device, chunk, data, from, rows, at);
    return;
  }
  const place = placing(data);
  const bytes = asBytes(data.kind === "f32" ? data.values : data.kind === "int4" ? data.codes : data.bytes);
  writeBytes(device, chunk, place(at), bytes.subarray(place(from), place(from + rows)));
}

/** Where a row (a multiple of 8, or the end) begins. */
function placing(data: Exclude<WeightData, PackedInt8>): (row: number) => number {
  const { cols } = data;
  if (data.kind === "f32") return (row) => row * cols * 4;
  if (data.kind === "int4") return (row) => packedInt4Bytes(row, cols, data.group, data.offset);
  return (row) => packedBlocksBytes(row, cols, data.type);
}

function uploadInt8(device: GPUDevice, chunk: Chunk, data: PackedInt8, from: number, rows: number, at: number): void {
  const stride = int8Stride(data.cols);
  writeBytes(device, chunk, at * 4, asBytes(data.scales.subarray(from, from + rows)));
  const codesAt = roundUp(chunk.rows, 4) * 4 + at * stride;
  const codes = asBytes(data.codes.subarray(from * data.cols, (from + rows) * data.cols));
  if (stride === data.cols) {
    writeBytes(device, chunk, codesAt, codes);
    return;
  }
  const padded = new Uint8Array(rows * stride);
  for (let row = 0; row < rows; row++) padded.set(codes.subarray(row * data.cols, (row + 1) * data.cols), row * stride);
  writeBytes(device, chunk, codesAt, padded);
}

function check({ spec, offset }: Tensor, data: WeightData, row: number): void {
  const format = data.kind === "blocks" ? data.type : data.kind === "int4" ? `int4-g${data.group}` : data.kind;
  const { rows, cols } = data;
  const isEnd = row + rows === spec.rows;
  const fits = row % 8 === 0 && row + rows <= spec.rows && (rows % 8 === 0 || isEnd) && cols === spec.cols;
  if (format === spec.format && fits) {
    checkSize(spec.name, data, offset);
    return;
  }
  const problem = `expected ${spec.format} [${spec.rows}, ${spec.cols}], got ${format} [${rows}, ${cols}] at row ${row}`;
  throw new InputError(
    spec.name,
    "upload",
    problem,
    "Quantize the tensor to the format of its spec, and pack all of it",
  );
}

function checkSize(name: string, data: WeightData, offset: Tensor["offset"]): void {
  const { kind, rows, cols } = data;
  const got = kind === "f32" ? data.values.length : kind === "blocks" ? data.bytes.length : data.codes.length;
  let want = rows * cols;
  if (kind === "int4") want = packedInt4Bytes(rows, cols, data.group, data.offset ?? offset);
  if (kind === "blocks") want = packedBlocksBytes(rows, cols, data.type);
  if (got !== want)
    throw new InputError(name, "upload", `expected ${want} codes, got ${got}`, "Pack all of the tensor");
}

/** f32 rows of an activation or input tensor. Throws InputError for other formats and rows that are not there. */
export function writeRows(device: GPUDevice, tensor: Tensor, values: Float32Array, row: number): void {
  const { spec } = tensor;
  if (spec.format !== "f32") {
    throw new InputError(spec.name, "write", `has format ${spec.format}`, "Only f32 tensors are written row by row");
  }
  const rows = Math.ceil(values.length / spec.cols);
  if (row < 0 || row + rows > spec.rows || bytesOf(spec, "none8", spec.rows) < values.byteLength) {
    const problem = `has ${spec.rows} rows, rows ${row} to ${row + rows - 1} were written`;
    throw new InputError(spec.name, "rows", problem, "Shorten the input or allocate a longer context");
  }
  const [chunk] = tensor.chunks;
  if (chunk) writeBytes(device, chunk, row * spec.cols * 4, asBytes(values));
}
