// ONNX models whose matrices are MatMulNBits nodes (com.microsoft; transformers.js "q4", onnxruntime-genai): codes [outputs,
// blocks, bytes] low nibble first, w = scale * (code - zero). The config.json stands beside the file or one folder above.

import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Platform } from "../core/ports.js";
import type { StoredMatrix } from "../core/stored.js";
import type { ByteSource, LazyTensor } from "../core/tensor.js";
import { readHfSettings } from "./hf-folder.js";
import { type Heads, splitFused } from "./onnx-fused.js";
import { type OnnxNode, readOnnxGraph } from "./onnx-graph.js";
import { joinedBlocks, wideHeads } from "./pack-blocks.js";
import { protoReader } from "./protobuf.js";
import {
  areHalves,
  filesOf,
  piece,
  readBytes,
  readFloats,
  recordGroup,
  storedInt4,
  type TensorMap,
} from "./quant-scheme.js";

const REMEDY = "Export the model with MatMulNBits nodes and plain names";

/** A model file begins with its IR version (field 1, a small number). */
export async function isOnnx(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < 16) return false;
  const [key, version] = await source.read(0, 2);
  if (key !== 8 || version < 3 || version > 32) return false;
  try {
    for await (const field of protoReader(source).fields(0, source.sizeBytes))
      if (field.number === 7) return field.wire === 2;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  return false;
}

/** Everything of a model but its config and tokenizer, which a Hugging Face folder has. */
export type OnnxWeights = Pick<Model, "fileBytes"> & {
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  readonly stored: ReadonlyMap<string, StoredMatrix>;
  close(): Promise<void>;
};

/** Reads the graph of a file and of its external data; `heads` cut fused projections apart. Throws InputError. */
export async function openOnnxWeights(
  platform: Pick<Platform, "open">,
  path: string,
  heads?: Heads,
): Promise<OnnxWeights> {
  const folder = path.replace(/[^/\\]*$/, "") || "./";
  const opened = new Map<string, ByteSource>();
  const open = async (at: string): Promise<ByteSource> => {
    const source = opened.get(at) ?? (await platform.open(at));
    opened.set(at, source);
    return source;
  };
  const close = async () => {
    for (const source of opened.values()) await source.close();
  };
  try {
    const read = await readOnnxGraph(await open(path), (name) => open(folder + name), ["MatMulNBits"]);
    const graph = heads ? splitFused(read, heads) : read;
    const stored = await Promise.all(graph.nodes.map((node) => storedMatrix(graph.tensors, node)));
    const tensors = [...graph.tensors.values()].map((tensor) => ({ ...tensor, name: floatName(tensor.name) }));
    const fileBytes = [...opened.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return {
      tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
      stored: new Map(stored.map((matrix) => [matrix.name, matrix])),
      fileBytes,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the file with the config.json and tokenizer.json beside it or one folder above. Throws InputError. */
export async function openOnnx(platform: Platform, path: string): Promise<Model> {
  const folder = path.replace(/[/\\]?[^/\\]*$/, "") || ".";
  const above = `${folder}/..`;
  const home = (await platform.exists(`${folder}/config.json`)) ? folder : above;
  if (!(await platform.exists(`${home}/config.json`))) {
    throw new InputError(
      path,
      "config.json",
      "is neither beside the file nor one folder above",
      "Get the whole folder",
    );
  }
  const { config, tokenizer } = await readHfSettings(platform, home);
  const { tensors, stored, fileBytes } = await openOnnxWeights(platform, path, config.decoder);
  const name = path.replace(/^.*[/\\]/, "").replace(/\.onnx$/, "");
  return { name, origin: path, config, tensors, stored, tokenizer, fileBytes };
}

/** `/model/layers.0/attn/q_proj/MatMul_Q4` -> `model.layers.0.self_attn.q_proj.weight`. */
export function matrixName(node: string): string {
  const path = node.replace(/^\//, "").replaceAll("/", ".");
  return `${path.replace(/\.MatMul(?:NBits)?(?:_Q4|_Q8)?$/, "").replace(".attn.", ".self_attn.")}.weight`;
}

function floatName(name: string): string {
  if (/^model\.layers\.\d+\.final_norm_layernorm\.weight$/.test(name)) return "model.norm.weight";
  return name.replace(".attn.", ".self_attn.").replace(/\.Add\.bias$/, ".bias");
}

/** One node's matrix [N, K]. Throws InputError for attributes and tensors that do not fit each other. */
export async function storedMatrix(tensors: TensorMap, node: OnnxNode): Promise<StoredMatrix> {
  const number = (key: string, otherwise: number) => node.numbers.get(key) ?? otherwise;
  const [rows, cols, bits, block] = [number("N", 0), number("K", 0), number("bits", 4), number("block_size", 0)];
  const fail = (problem: string) => new InputError(node.name, "MatMulNBits", problem, REMEDY);
  if (rows < 1 || cols < 1 || block < 16 || (bits !== 4 && bits !== 8)) {
    throw fail(`N ${rows}, K ${cols}, bits ${bits}, block_size ${block} is not supported`);
  }
  const [, codesName, scalesName, zerosName = "", orderName = ""] = node.inputs;
  if (orderName) throw fail("has an input order (g_idx), which is not supported");
  const group = recordGroup(node.name, block, cols);
  const blocks = cols / block;
  const codes = piece(tensors, codesName ?? "", ["u8"], [rows, blocks, (block * bits) / 8]);
  const scales = flat(tensors, scalesName ?? "", rows * blocks);
  const zeros = zerosName ? tensors.get(zerosName) : undefined;
  if (zerosName && !zeros) throw fail(`its zero points ${zerosName} are missing`);
  const name = matrixName(node.name);
  const parts = [codes, scales, ...(zeros ? [zeros] : [])];
  const about = { name, rows, cols, label: `ONNX ${bits} bit g${block}`, tensors: parts };
  const zeroOf = await zeroReader(fail, zeros, bits, rows, blocks);
  if (bits === 8) {
    const heads = async () => {
      const [steps, zero] = [await readFloats(scales), await zeroOf()];
      const edges = steps.map((_, i) => zero(Math.floor(i / blocks), i % blocks));
      return wideHeads(steps, edges, block);
    };
    if (group === 16) throw fail("8 bits in blocks of 16 are not supported");
    return { ...about, ...filesOf(parts), ...joinedBlocks("zero8", rows, cols, codes, heads) };
  }
  const floatZeros = zeros !== undefined && zeros.dtype !== "u8";
  const exact = !floatZeros && areHalves(scales);
  const shape = { rows, cols, group, offset: zeros ? "zeroU4" : "none8" } as const;
  const places = { rowStride: blocks, groupStride: 1, share: block / group };
  const values = { scales, biases: null, zeros: zeros ? zeroList : null, ...places, exact };
  return storedInt4(about, shape, { tensor: codes, order: "rows", values });

  async function zeroList() {
    const zero = await zeroOf();
    const list = floatZeros ? new Float32Array(rows * blocks) : new Uint8Array(rows * blocks);
    return list.map((_, i) => zero(Math.floor(i / blocks), i % blocks));
  }
}

/** A tensor of `count` numbers in any shape. */
function flat(tensors: TensorMap, name: string, count: number): LazyTensor {
  const tensor = tensors.get(name);
  const shape = tensor?.shape ?? [];
  if (shape.reduce((product, size) => product * size, 1) !== count) {
    throw new InputError(name, "scales", `has the shape [${shape}], ${count} numbers were expected`, REMEDY);
  }
  return piece(tensors, name, ["f32", "f16", "bf16"], shape);
}

/** Zero point of (row, block): packed codes, each row padded to a byte; floats; or the middle code. */
async function zeroReader(
  fail: (problem: string) => InputError,
  zeros: LazyTensor | undefined,
  bits: 4 | 8,
  rows: number,
  blocks: number,
): Promise<() => Promise<(row: number, block: number) => number>> {
  if (!zeros) return async () => () => 2 ** (bits - 1);
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const count = zeros.shape.reduce((product, size) => product * size, 1);
  if (count !== (zeros.dtype === "u8" ? rows * rowBytes : rows * blocks)) throw fail(`zero points [${zeros.shape}]`);
  return async () => {
    if (zeros.dtype !== "u8") {
      const values = await readFloats(zeros);
      return (row, block) => values[row * blocks + block];
    }
    const bytes = await readBytes(zeros);
    if (bits === 8) return (row, block) => bytes[row * rowBytes + block];
    return (row, block) => (bytes[row * rowBytes + (block >> 1)] >> (4 * (block & 1))) & 15;
  };
}
