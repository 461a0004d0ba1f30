// What an ONNX file holds of weights: its initializers as lazy tensors (external data too) and its MatMulNBits nodes.
// Field numbers: onnx/onnx.proto of the ONNX project.

import { InputError } from "../core/errors.js";
import { type ByteSource, DTYPE_BYTES, type DType, elementCount, type LazyTensor } from "../core/tensor.js";
import { type Field, type ProtoReader, protoReader } from "./protobuf.js";

export interface OnnxNode {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly string[];
  /** Whole-number attributes. */
  readonly numbers: ReadonlyMap<string, number>;
}

export interface OnnxGraph {
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  /** Nodes of the wanted types only. */
  readonly nodes: readonly OnnxNode[];
}

/** TensorProto.DataType. */
const DTYPES: Readonly<Record<number, DType>> = {
  ...{ 1: "f32", 2: "u8", 3: "i8", 4: "u16", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 10: "f16", 11: "f64" },
  ...{ 12: "u32", 13: "u64", 16: "bf16", 17: "f8e4m3", 19: "f8e5m2" },
};

/** A tensor has at most this many dimensions and a node this many inputs: more are lies. */
const MOST_PARTS = 64;

/**
 * @param openBeside opens a file of external data by its plain name
 * @param types op types of the nodes to keep
 */
export async function readOnnxGraph(
  source: ByteSource,
  openBeside: (name: string) => Promise<ByteSource>,
  types: readonly string[],
): Promise<OnnxGraph> {
  const reader = protoReader(source);
  const tensors = new Map<string, LazyTensor>();
  const nodes: OnnxNode[] = [];
  for await (const field of reader.fields(0, source.sizeBytes)) {
    if (field.number !== 7 || field.wire !== 2) continue;
    for await (const part of reader.fields(field.offset, field.length)) {
      if (part.wire !== 2) continue;
      if (part.number === 5) {
        const tensor = await readTensor(reader, source, part, openBeside);
        if (tensors.has(tensor.name)) throw fail(source, tensor.name, "stands twice");
        tensors.set(tensor.name, tensor);
      } else if (part.number === 1) {
        const node = await readNode(reader, source, part);
        if (types.includes(node.type)) nodes.push(node);
      }
    }
  }
  return { tensors, nodes };
}

const fail = (source: ByteSource, field: string, problem: string) =>
  new InputError(source.name, field, problem, "Get the whole file again");

async function readTensor(
  reader: ProtoReader,
  source: ByteSource,
  message: Field,
  openBeside: (name: string) => Promise<ByteSource>,
): Promise<LazyTensor> {
  const shape: number[] = [];
  let name = "";
  let type = 0;
  let inline: Field | null = null;
  const external = new Map<string, string>();
  for await (const field of reader.fields(message.offset, message.length)) {
    if (field.number === 1 && field.wire === 0) shape.push(field.value);
    else if (field.number === 1) for await (const size of packedNumbers(reader, field)) shape.push(size);
    else if (field.number === 2) type = field.value;
    else if (field.number === 8) name = await reader.text(field);
    else if (field.number === 9 || (field.number === 4 && field.wire === 2)) inline = field;
    else if (field.number === 13 && field.wire === 2) await readEntry(reader, field, external);
    if (shape.length > MOST_PARTS) throw fail(source, name, `has more than ${MOST_PARTS} dimensions`);
  }
  if (name === "") throw fail(source, `byte ${message.offset}`, "an initializer has no name");
  const dtype = DTYPES[type] ?? "u8";
  const byteLength = elementCount(shape) * DTYPE_BYTES[dtype];
  if (!Number.isSafeInteger(byteLength)) throw fail(source, name, `has the shape [${shape}]`);
  const about = { name, dtype, shape };
  if (external.size > 0) return { ...about, ...(await openExternal(source, name, external, byteLength, openBeside)) };
  if (inline && inline.length === byteLength) return { ...about, source, offset: inline.offset, byteLength };
  // Other fields (int64_data and the like) hold small constants, which no weight is: it is there, with no bytes to read.
  if (inline) throw fail(source, name, `[${shape}] needs ${byteLength} bytes, it has ${inline.length}`);
  return { ...about, shape: [0], source, offset: 0, byteLength: 0 };
}

/** Packed varints; reads only short lists. */
async function* packedNumbers(reader: ProtoReader, field: Field): AsyncGenerator<number> {
  const bytes = await reader.bytes(field, MOST_PARTS * 10);
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    value += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte >= 128) continue;
    yield value;
    value = 0;
    shift = 0;
  }
}

async function readEntry(reader: ProtoReader, message: Field, entries: Map<string, string>): Promise<void> {
  let [key, value] = ["", ""];
  for await (const field of reader.fields(message.offset, message.length)) {
    if (field.number === 1) key = await reader.text(field);
    if (field.number === 2) value = await reader.text(field);
  }
  entries.set(key, value);
}

async function openExternal(
  source: ByteSource,
  name: string,
  entries: ReadonlyMap<string, string>,
  byteLength: number,
  openBeside: (name: string) => Promise<ByteSource>,
) {
  const location = entries.get("location") ?? "";
  // A file must not reach outside its folder.
  if (!/^[\w.-]+$/.test(location) || location.startsWith("..")) {
    throw fail(source, name, `its data is in ${JSON.stringify(location)}, which is no plain file name`);
  }
  const file = await openBeside(location);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? byteLength);
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== byteLength || offset + length > file.sizeBytes) {
    throw fail(source, name, `bytes ${offset} to ${offset + length} of ${location} do not fit its shape or file`);
  }
  return { source: file, offset, byteLength };
}

async function readNode(reader: ProtoReader, source: ByteSource, message: Field): Promise<OnnxNode> {
  const inputs: string[] = [];
  const numbers = new Map<string, number>();
  let [name, type] = ["", ""];
  for await (const field of reader.fields(message.offset, message.length)) {
    if (field.number === 1) inputs.push(await reader.text(field));
    else if (field.number === 3) name = await reader.text(field);
    else if (field.number === 4) type = await reader.text(field);
    else if (field.number === 5 && field.wire === 2) {
      let key = "";
      for await (const part of reader.fields(field.offset, field.length)) {
        if (part.number === 1) key = await reader.text(part);
        if (part.number === 3 && part.wire === 0) numbers.set(key, part.value);
      }
    }
    if (inputs.length > 4096) throw fail(source, name, "has more than 4096 inputs");
  }
  return { name, type, inputs, numbers };
}
