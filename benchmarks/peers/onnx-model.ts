// ONNX files of a case: `nodes` MatMulNBits nodes over one input, added up, weights as external data. The data file holds
// the same matrix many times, so that sessions which start at other places share no byte in any cache.

import { existsSync, renameSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { field, tensor, valueInfo } from "../../tests/formats/onnx-file.js";
import type { MatmulWork } from "./case.js";
import { dataFolder } from "./folders.js";
import { type Matrix, seededMatrix } from "./matrix.js";

/** Products of one set: about 10 ms for the native peer; few for what is far slower. */
export function sampleNodes({ rows, tokens }: MatmulWork): number {
  if (tokens > 1) return 1;
  return rows > 8192 ? 3 : 8;
}

/** Sets until a weight is read again: one token's weights lie on over 550 MB, beyond every cache. */
export const sampleSets = ({ tokens }: MatmulWork): number => (tokens > 1 ? 4 : 8);

/** Of `sets` sets, those that one sample goes through: one token's all, so that it takes a tenth of a second. */
export const setsASample = ({ tokens }: MatmulWork, sets: number): number => (tokens > 1 ? 1 : sets);

const strideBytes = ({ codes, scales }: Matrix): number => Math.ceil((codes.length + scales.byteLength) / 4096) * 4096;
const dataName = ({ rows, cols, group }: MatmulWork): string => `${rows}x${cols}-g${group}.bin`;

/** Writes the data of `copies` matrices once; the path. */
export async function writeData(work: MatmulWork, copies: number): Promise<string> {
  const path = join(dataFolder(), `${copies}-${dataName(work)}`);
  if (existsSync(path)) return path;
  const matrix = seededMatrix(work);
  const one = new Uint8Array(strideBytes(matrix));
  one.set(matrix.codes);
  one.set(new Uint8Array(matrix.scales.buffer), matrix.codes.length);
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, one);
  for (let i = 1; i < copies; i++) await appendFile(unfinished, one);
  renameSync(unfinished, path);
  return path;
}

export interface OnnxOptions {
  readonly accuracy: 0 | 4;
  readonly nodes: number;
  /** Matrix of the data file that the first node uses. */
  readonly first: number;
  /** Name of the data file as the model gives it. */
  readonly data: string;
}

/** The model's bytes. Its output "Y" is the sum of all nodes'. */
export function onnxBytes(work: MatmulWork, { accuracy, nodes, first, data }: OnnxOptions): Uint8Array {
  const { rows, cols, group, tokens } = work;
  const matrix = seededMatrix(work);
  const stride = strideBytes(matrix);
  const attribute = (key: string, value: number) => field(5, [...field(1, key), ...field(3, value), ...field(20, 2)]);
  const settings = { K: cols, N: rows, bits: 4, block_size: group, accuracy_level: accuracy };
  const node = (i: number) => [
    ...["A", `B${i}`, `s${i}`].flatMap((input) => field(1, input)),
    ...field(2, nodes === 1 ? "Y" : `Y${i}`),
    ...field(3, `/model/layers.${i}/attn/q_proj/MatMul_Q4`),
    ...field(4, "MatMulNBits"),
    ...Object.entries(settings).flatMap(([key, value]) => attribute(key, value)),
    ...field(7, "com.microsoft"),
  ];
  const all = Array.from({ length: nodes }, (_, i) => i);
  const sum = [...all.flatMap((i) => field(1, `Y${i}`)), ...field(2, "Y"), ...field(3, "sum"), ...field(4, "Sum")];
  const weights = (i: number) => {
    const at = (first + i) * stride;
    const { codes, scales } = matrix;
    const shape = [rows, cols / group, group / 2];
    const b = { name: `B${i}`, type: 2, shape, data: codes, external: [data, at] } as const;
    const external = [data, at + codes.length] as const;
    const s = { name: `s${i}`, type: 1, shape: [(rows * cols) / group], data: scales, external };
    return [b, s].flatMap((input) => field(5, tensor(input)));
  };
  const graph = [
    ...all.flatMap((i) => field(1, node(i))),
    ...(nodes > 1 ? field(1, sum) : []),
    ...field(2, "g"),
    ...all.flatMap(weights),
    ...field(11, valueInfo("A", 1, [tokens, cols])),
    ...field(12, valueInfo("Y", 1, [tokens, rows])),
  ];
  const opset = (domain: string, version: number) => field(8, [...field(1, domain), ...field(2, version)]);
  return Uint8Array.from([...field(1, 8), ...field(7, graph), ...opset("", 17), ...opset("com.microsoft", 1)]);
}
