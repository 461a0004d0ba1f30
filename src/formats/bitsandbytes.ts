// bitsandbytes NF4 checkpoints (quant_method "bitsandbytes"): a flat row-major matrix of codes, first one in the high nibble, with one
// largest magnitude for each 64; double quantization stores those as 8-bit codes of their own. Layout: bitsandbytes functional.py.

import { InputError } from "../core/errors.js";
import type { LazyTensor } from "../core/tensor.js";
import { type Fields, fieldsOf } from "./hf-fields.js";
import { joinedBlocks } from "./pack-blocks.js";
import { basesOf, filesOf, piece, readBytes, readFloats, type Scheme, type TensorMap } from "./quant-scheme.js";

const STATE = ".weight.quant_state.bitsandbytes__nf4";
const BLOCK = 64;
/** No state is longer: it holds a shape and some numbers. */
const MOST_STATE_BYTES = 65536;

export const bitsandbytes: Scheme = {
  name: "bitsandbytes NF4",
  matches: (settings) => settings.text("quant_method", "") === "bitsandbytes",
  async collect({ settings, tensors }) {
    const type = settings.text("bnb_4bit_quant_type", "nf4");
    if (settings.flag("load_in_8bit", false) || type !== "nf4") {
      const found = settings.flag("load_in_8bit", false) ? "8 bit" : type;
      throw settings.fail("bnb_4bit_quant_type", `"${found}" is not supported`, "Supported is: nf4");
    }
    const found = await Promise.all(basesOf(tensors, STATE).map((base) => matrix(tensors, base)));
    return { stored: found.map(({ stored }) => stored), used: new Set(found.flatMap(({ used }) => used)) };
  },
};

async function matrix(tensors: TensorMap, base: string) {
  const name = `${base}.weight`;
  const state = piece(tensors, `${base}${STATE}`, ["u8"], [null]);
  const fields = await readState(state);
  const [rows, cols] = shapeOf(fields);
  if (fields.count("blocksize", BLOCK) !== BLOCK || cols % BLOCK !== 0) {
    throw fields.fail("blocksize", "other blocks than 64 along a row are not supported", "Use another checkpoint");
  }
  const blocks = (rows * cols) / BLOCK;
  const codes = piece(tensors, name, ["u8"], [(rows * cols) / 2, 1]);
  const absmax = piece(tensors, `${name}.absmax`, ["f32", "u8"], [blocks]);
  const nested = absmax.dtype === "u8";
  const extra = nested ? ["absmax", "nested_absmax", "nested_quant_map"] : ["absmax"];
  const map = piece(tensors, `${name}.quant_map`, ["f32"], [16]);
  const parts = [codes, state, map, ...extra.map((part) => piece(tensors, `${name}.${part}`, ["f32", "u8"], [null]))];
  const heads = async () => {
    const largest = nested ? await readNested(tensors, name, absmax, fields) : await readFloats(absmax);
    return new Uint8Array(largest.buffer, largest.byteOffset, largest.byteLength);
  };
  const stored = {
    name,
    rows,
    cols,
    label: "NF4",
    ...filesOf(parts),
    ...joinedBlocks("nf4", rows, cols, codes, heads),
  };
  return { stored, used: parts.map((tensor) => tensor.name) };
}

async function readState(state: LazyTensor): Promise<Fields> {
  const fail = (problem: string) => new InputError(state.source.name, state.name, problem, "Get the file again");
  if (state.byteLength > MOST_STATE_BYTES) throw fail(`has ${state.byteLength} bytes`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readBytes(state));
    return fieldsOf(state.name, JSON.parse(text));
  } catch {
    throw fail("is not JSON");
  }
}

function shapeOf(fields: Fields): readonly [number, number] {
  const shape = fields.raw("shape");
  const good = Array.isArray(shape) && shape.length === 2 && shape.every((n) => Number.isSafeInteger(n) && n > 0);
  if (good) return shape as unknown as readonly [number, number];
  throw fields.fail("shape", `is ${JSON.stringify(shape)}, two sizes were expected`);
}

/** Double quantization: map[code] * (the outer block's largest magnitude) + offset. */
async function readNested(tensors: TensorMap, name: string, absmax: LazyTensor, fields: Fields): Promise<Float32Array> {
  const size = fields.count("nested_blocksize", 256);
  const offset = fields.number("nested_offset", 0);
  const count = Math.ceil(absmax.shape[0] / size);
  const outer = await readFloats(piece(tensors, `${name}.nested_absmax`, ["f32"], [count]));
  const map = await readFloats(piece(tensors, `${name}.nested_quant_map`, ["f32"], [256]));
  const codes = await readBytes(absmax);
  return Float32Array.from(codes, (code, i) => Math.fround(map[code] * outer[Math.floor(i / size)]) + offset);
}
