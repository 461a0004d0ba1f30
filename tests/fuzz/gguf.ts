// Fuzzing of the GGUF reader: a small good file, as fields, some of which then lie. Whatever comes out, reading it ends
// well or in an InputError, in less than a second, and never asks the source for more than there is.

import { InputError } from "../../src/core/errors.js";
import type { Repacker } from "../../src/core/packed.js";
import type { ByteSource } from "../../src/core/tensor.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { readGguf } from "../../src/formats/gguf.js";

/** A field of the file: a little-endian integer or raw bytes. */
interface Field {
  readonly size: 1 | 4 | 8 | 0;
  readonly value: bigint;
  readonly bytes: Uint8Array;
}

const NONE = new Uint8Array(0);
const int = (size: 1 | 4 | 8, value: number | bigint): Field => ({ size, value: BigInt(value), bytes: NONE });
const raw = (bytes: Uint8Array): Field => ({ size: 0, value: 0n, bytes });
const text = (value: string): Field[] => {
  const bytes = new TextEncoder().encode(value);
  return [int(8, bytes.length), raw(bytes)];
};
const float = (value: number) => raw(new Uint8Array(Float32Array.of(value).buffer));

const pair = (key: string, type: number, ...value: Field[]): Field[] => [...text(key), int(4, type), ...value];
const count = (key: string, value: number) => pair(key, 4, int(4, value));
const list = (key: string, type: number, items: readonly Field[][]): Field[] =>
  pair(key, 9, int(4, type), int(8, items.length), ...items.flat());

const TOKENS = ["<unk>", "<s>", "</s>", "<0x0A>", "\u2581a", "b", "ab", "c"];
const SPM = [
  pair("tokenizer.ggml.model", 8, ...text("llama")),
  list(
    "tokenizer.ggml.scores",
    6,
    TOKENS.map((_, i) => [float(-i)]),
  ),
];
const BPE = [
  pair("tokenizer.ggml.model", 8, ...text("gpt2")),
  list("tokenizer.ggml.merges", 8, [text("a b"), text("ab c")]),
];

/** Names, torch shapes, and type ids of a model of one layer, hidden 32. */
const TENSORS: readonly (readonly [string, readonly number[], number])[] = [
  ["token_embd.weight", [8, 32], 8],
  ["output_norm.weight", [32], 0],
  ["blk.0.attn_norm.weight", [32], 0],
  ["blk.0.ffn_norm.weight", [32], 0],
  ["blk.0.attn_q.weight", [32, 32], 2],
  ["blk.0.attn_k.weight", [16, 32], 3],
  ["blk.0.attn_v.weight", [16, 32], 6],
  ["blk.0.attn_output.weight", [32, 32], 7],
  ["blk.0.ffn_gate.weight", [64, 32], 20],
  ["blk.0.ffn_up.weight", [64, 32], 1],
  ["blk.0.ffn_down.weight", [32, 64], 30],
];
const BLOCK: Readonly<Record<number, readonly [number, number]>> = {
  ...{
    0: [1, 4],
    1: [1, 2],
    2: [32, 18],
    3: [32, 20],
    6: [32, 22],
    7: [32, 24],
    8: [32, 34],
    20: [32, 18],
    30: [1, 2],
  },
};

function goodFile(bpe: boolean): { head: Field[]; data: Uint8Array } {
  const pairs = [
    pair("general.architecture", 8, ...text("llama")),
    ...[
      ["context_length", 64],
      ["embedding_length", 32],
      ["block_count", 1],
      ["feed_forward_length", 64],
    ].map(([key, value]) => count(`llama.${key}`, value as number)),
    count("llama.attention.head_count", 4),
    count("llama.attention.head_count_kv", 2),
    pair("llama.attention.layer_norm_rms_epsilon", 6, float(1e-5)),
    list("tokenizer.ggml.tokens", 8, TOKENS.map(text)),
    list(
      "tokenizer.ggml.token_type",
      5,
      TOKENS.map((_, i) => [int(4, i < 3 ? 3 : i === 3 ? 6 : 1)]),
    ),
    ...(bpe ? BPE : SPM),
  ];
  let offset = 0;
  const infos = TENSORS.map(([name, shape, type]) => {
    const [columns, bytes] = BLOCK[type];
    const info = [
      ...text(name),
      int(4, shape.length),
      ...[...shape].reverse().map((size) => int(8, size)),
      ...[int(4, type), int(8, offset)],
    ];
    offset += Math.ceil(((shape.reduce((a, b) => a * b) / columns) * bytes) / 32) * 32;
    return info;
  });
  const head = [
    int(4, 0x46554747),
    int(4, 3),
    int(8, TENSORS.length),
    int(8, pairs.length),
    ...pairs.flat(),
    ...infos.flat(),
  ];
  return { head, data: new Uint8Array(offset).fill(0x11) };
}

const LIES = [0n, 1n, 2n, 7n, 31n, 33n, 255n, 256n, 1n << 16n, (1n << 31n) - 1n, 1n << 31n, (1n << 32n) - 1n];
const LONG_LIES = [...LIES, 1n << 32n, 1n << 53n, (1n << 53n) - 1n, 1n << 60n, 1n << 63n, (1n << 64n) - 1n];

function lie(fields: readonly Field[], random: () => number): Field[] {
  const at = Math.floor(random() * fields.length);
  const pick = Math.floor(random() * 6);
  const field = fields[at];
  if (pick === 0) return [...fields.slice(0, at), ...fields.slice(at + 1)];
  if (pick === 1) return [...fields.slice(0, at), field, ...fields.slice(at)];
  const other = fields[Math.floor(random() * fields.length)];
  if (pick === 2) return fields.map((old, i) => (i === at ? other : old));
  return fields.map((old, i) => (i === at ? lyingField(old, random) : old));
}

function lyingField(field: Field, random: () => number): Field {
  if (field.size === 0) return raw(field.bytes.map((byte) => (random() < 0.2 ? Math.floor(random() * 256) : byte)));
  const lies = field.size === 8 ? LONG_LIES : LIES;
  const near = field.value + BigInt(Math.floor(random() * 5) - 2);
  return { ...field, value: random() < 0.3 && near >= 0n ? near : lies[Math.floor(random() * lies.length)] };
}

function encode(head: readonly Field[], data: Uint8Array): Uint8Array {
  const parts = head.map(({ size, value, bytes }) => {
    if (size === 0) return bytes;
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    return new Uint8Array(view.buffer, 0, size);
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const start = Math.ceil(length / 32) * 32;
  const whole = new Uint8Array(start + data.length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  whole.set(data, start);
  return whole;
}

/** One damaged file; some end early, some have noise in their data. */
export function damagedGguf(random: () => number): Uint8Array {
  const { head, data } = goodFile(random() < 0.5);
  let fields = head;
  for (let lies = Math.floor(random() * 4); lies >= 0; lies--) fields = lie(fields, random);
  const noisy = random() < 0.2 ? data.map(() => Math.floor(random() * 256)) : data;
  const bytes = encode(fields, noisy);
  return random() < 0.15 ? bytes.slice(0, Math.floor(random() * bytes.length)) : bytes;
}

/** A source that counts what is asked of it, and fails on a range that it has not. */
function countingSource(bytes: Uint8Array): { source: ByteSource; asked: () => number } {
  let asked = 0;
  const source: ByteSource = {
    name: "fuzzed.gguf",
    sizeBytes: bytes.length,
    async read(offset, length) {
      const good = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
      if (!good || offset + length > bytes.length) throw new Error(`the reader asked for ${offset} + ${length}`);
      asked = Math.max(asked, length);
      return bytes.slice(offset, offset + length);
    },
    async close() {},
  };
  return { source, asked: () => asked };
}

/** Reads a file to its last weight and uses its tokenizer. @returns "read" or the refusal; throws for anything else */
export async function readAll(bytes: Uint8Array, repacker: Repacker): Promise<string> {
  const { source, asked } = countingSource(bytes);
  const started = performance.now();
  const outcome = await outcomeOf(source, repacker);
  const took = performance.now() - started;
  if (took > 1000) throw new Error(`${took.toFixed(0)} ms for ${bytes.length} bytes`);
  if (asked() > bytes.length) throw new Error(`${asked()} bytes were asked for at once`);
  return outcome;
}

async function outcomeOf(source: ByteSource, repacker: Repacker): Promise<string> {
  try {
    const model = await readGguf("fuzzed", source, null);
    for (const tensor of model.tensors.values()) await readFloat32(tensor);
    for (const stored of model.stored?.values() ?? []) {
      for await (const { data } of stored.pieces?.(repacker) ?? []) {
        if (data.kind === "blocks") repacker.unpack(data);
      }
    }
    model.tokenizer?.decode(model.tokenizer.encode("ab c\n<s>\u{1f600}"));
    return "read";
  } catch (error) {
    if (error instanceof InputError) return error.message.replace(/\d+/g, "#");
    throw error;
  }
}
