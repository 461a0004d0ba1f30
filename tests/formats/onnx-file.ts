// Writes small ONNX files: protocol buffers by hand, one MatMulNBits node.

const utf8 = new TextEncoder();

export function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** A length-delimited field, or a number. */
export function field(number: number, value: number | string | Uint8Array | readonly number[]): number[] {
  if (typeof value === "number") return [...varint(number * 8), ...varint(value)];
  const bytes = typeof value === "string" ? utf8.encode(value) : value;
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}

export interface Initializer {
  readonly name: string;
  /** TensorProto.DataType: 1 f32, 2 u8, 10 f16. */
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
  /** Name and offset of a file of external data. */
  readonly external?: readonly [string, number];
}

export function tensor({ name, type, shape, data, external }: Initializer): number[] {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const dims = field(1, shape.flatMap(varint));
  const head = [...dims, ...field(2, type), ...field(8, name)];
  if (!external) return [...head, ...field(9, bytes)];
  const entry = (key: string, value: string) => field(13, [...field(1, key), ...field(2, value)]);
  const length = entry("length", String(bytes.length));
  return [
    ...head,
    ...entry("location", external[0]),
    ...entry("offset", String(external[1])),
    ...length,
    ...field(14, 1),
  ];
}

export interface MatMul {
  readonly rows: number;
  readonly cols: number;
  readonly bits: number;
  readonly block: number;
  readonly tokens: number;
}

export const valueInfo = (name: string, type: number, shape: readonly number[]) => {
  const dims = shape.flatMap((size) => field(1, field(1, size)));
  return [...field(1, name), ...field(2, field(1, [...field(1, type), ...field(2, dims)]))];
};

/** A model of one MatMulNBits node with the given initializers as inputs after A. */
export function matMulFile({ rows, cols, bits, block, tokens }: MatMul, name: string, inputs: readonly Initializer[]) {
  const attribute = (key: string, value: number) => field(5, [...field(1, key), ...field(3, value), ...field(20, 2)]);
  const node = [
    ...["A", ...inputs.map((input) => input.name)].flatMap((input) => field(1, input)),
    ...field(2, "Y"),
    ...field(3, name),
    ...field(4, "MatMulNBits"),
    ...[attribute("K", cols), attribute("N", rows), attribute("bits", bits), attribute("block_size", block)].flat(),
    ...field(7, "com.microsoft"),
  ];
  const graph = [
    ...field(1, node),
    ...field(2, "g"),
    ...inputs.flatMap((input) => field(5, tensor(input))),
    ...field(11, valueInfo("A", 1, [tokens, cols])),
    ...field(12, valueInfo("Y", 1, [tokens, rows])),
  ];
  const opset = (domain: string, version: number) => field(8, [...field(1, domain), ...field(2, version)]);
  return Uint8Array.from([...field(1, 8), ...field(7, graph), ...opset("", 17), ...opset("com.microsoft", 1)]);
}
