// AutoAWQ checkpoints (quant_method "awq"), w = scale * (code - zero). GEMM layout: codes [inputs, outputs / 8] packed along
// the outputs, zero points alike; GEMV layout: packed along the inputs. casper-hansen/AutoAWQ awq/modules/linear/gem[mv].py.

import { wordsOf } from "./half.js";
import { zeroBytes } from "./pack-r8.js";
import {
  areHalves,
  basesOf,
  piece,
  readBytes,
  recordGroup,
  type Scheme,
  storedInt4,
  type TensorMap,
} from "./quant-scheme.js";

/** Nibble in which a word holds column 0..7 of its eight. */
export const AWQ_NIBBLE = [0, 4, 1, 5, 2, 6, 3, 7] as const;

const STRAIGHT = [0, 1, 2, 3, 4, 5, 6, 7] as const;

export const autoawq: Scheme = {
  name: "AutoAWQ",
  matches: (settings) => settings.text("quant_method", "") === "awq",
  async collect({ settings, tensors }) {
    const bits = settings.count(settings.has("bits") ? "bits" : "w_bit", 4);
    const version = settings.text("version", "gemm").toLowerCase();
    if (bits !== 4) throw settings.fail("bits", `${bits} is not supported`, "AutoAWQ checkpoints have 4");
    if (version !== "gemm" && version !== "gemv") {
      throw settings.fail("version", `"${version}" is not supported`, `Supported are: "gemm", "gemv"`);
    }
    const symmetric = !settings.flag("zero_point", true);
    const wanted = settings.raw(settings.has("group_size") ? "group_size" : "q_group_size") ?? 128;
    const bases = basesOf(tensors, ".qweight");
    const one = version === "gemm" ? matrix : rowMatrix;
    const found = await Promise.all(bases.map((base) => one(tensors, base, Number(wanted), symmetric)));
    return { stored: found.map(({ stored }) => stored), used: new Set(found.flatMap(({ used }) => used)) };
  },
};

async function matrix(tensors: TensorMap, base: string, wanted: number, symmetric: boolean) {
  const codes = piece(tensors, `${base}.qweight`, ["i32"], [null, null]);
  const [cols, words] = codes.shape as readonly [number, number];
  const rows = words * 8;
  const stored = wanted === -1 ? cols : wanted;
  const group = recordGroup(codes.name, stored, cols);
  const scales = piece(tensors, `${base}.scales`, ["f16", "bf16", "f32"], [cols / stored, rows]);
  const zeros = symmetric ? null : piece(tensors, `${base}.qzeros`, ["i32"], [cols / stored, words]);
  const parts = [codes, scales, ...(zeros ? [zeros] : [])];
  const shape = { rows, cols, group, offset: zeros ? "zeroU4" : "none8" } as const;
  const about = { name: `${base}.weight`, rows, cols, label: `AWQ g${stored}`, tensors: parts };
  const zeroPoints =
    zeros && (async () => zeroBytes(wordsOf(await readBytes(zeros)), cols / stored, rows, AWQ_NIBBLE, 0));
  const places = { rowStride: 1, groupStride: rows, share: stored / group };
  const values = { scales, biases: null, zeros: zeroPoints, ...places, exact: areHalves(scales) };
  const spare = tensors.has(`${base}.qzeros`) ? [`${base}.qzeros`] : [];
  return {
    stored: storedInt4(about, shape, { tensor: codes, order: "awq", values }),
    used: [...parts.map(({ name }) => name), ...spare],
  };
}

/** Zero words of a row are padded to a multiple of this many (AutoAWQ's calculate_zeros_width). */
const zeroMultiple = (group: number): number => (group >= 128 ? 1 : group >= 64 ? 2 : 4);

/** GEMV layout: codes [outputs, inputs / 8] and zero points [outputs, words], low nibble first; scales [outputs, 8 words]. */
async function rowMatrix(tensors: TensorMap, base: string, wanted: number, symmetric: boolean) {
  const codes = piece(tensors, `${base}.qweight`, ["i32"], [null, null]);
  const [rows, words] = codes.shape as readonly [number, number];
  const cols = words * 8;
  const stored = wanted === -1 ? cols : wanted;
  const group = recordGroup(codes.name, stored, cols);
  const multiple = zeroMultiple(stored);
  const width = Math.ceil(Math.ceil(cols / stored / 8) / multiple) * multiple;
  const scales = piece(tensors, `${base}.scales`, ["f16", "bf16", "f32"], [rows, width * 8]);
  const zeros = symmetric ? null : piece(tensors, `${base}.qzeros`, ["i32"], [rows, width]);
  const parts = [codes, scales, ...(zeros ? [zeros] : [])];
  const shape = { rows, cols, group, offset: zeros ? "zeroU4" : "none8" } as const;
  const about = { name: `${base}.weight`, rows, cols, label: `AWQ gemv g${stored}`, tensors: parts };
  const zeroPoints = zeros && (async () => zeroBytes(wordsOf(await readBytes(zeros)), rows, width * 8, STRAIGHT, 0));
  const places = { rowStride: width * 8, groupStride: 1, share: stored / group };
  const values = { scales, biases: null, zeros: zeroPoints, ...places, exact: areHalves(scales) };
  const spare = tensors.has(`${base}.qzeros`) ? [`${base}.qzeros`] : [];
  return {
    stored: storedInt4(about, shape, { tensor: codes, order: "rows", values }),
    used: [...parts.map(({ name }) => name), ...spare],
  };
}
