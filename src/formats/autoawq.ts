// AutoAWQ checkpoints (quant_method "awq"), GEMM layout: codes [inputs, outputs / 8] packed along the outputs, zero points
// alike, w = scale * (code - zero). Layout: casper-hansen/AutoAWQ awq/utils/packing_utils.py.

import type { PackedInt4, WeightData } from "../core/packed.js";
import type { LazyTensor } from "../core/tensor.js";
import { wordsOf } from "./half.js";
import { type CodeShape, type R8Writer, spreadWord } from "./pack-r8.js";
import {
  areHalves,
  basesOf,
  packGrouped,
  piece,
  readBytes,
  recordGroup,
  type Scheme,
  storedInt4,
  type TensorMap,
} from "./quant-scheme.js";

/** Nibble in which a word holds column 0..7 of its eight. */
export const AWQ_NIBBLE = [0, 4, 1, 5, 2, 6, 3, 7] as const;

export const autoawq: Scheme = {
  name: "AutoAWQ",
  matches: (settings) => settings.text("quant_method", "") === "awq",
  async collect({ settings, tensors }) {
    const bits = settings.count(settings.has("bits") ? "bits" : "w_bit", 4);
    const version = settings.text("version", "gemm").toLowerCase();
    if (bits !== 4) throw settings.fail("bits", `${bits} is not supported`, "AutoAWQ checkpoints have 4");
    if (version !== "gemm") throw settings.fail("version", `"${version}" is not supported`, `Supported is: "gemm"`);
    const symmetric = !settings.flag("zero_point", true);
    const wanted = settings.raw(settings.has("group_size") ? "group_size" : "q_group_size") ?? 128;
    const bases = basesOf(tensors, ".qweight");
    const found = await Promise.all(bases.map((base) => matrix(tensors, base, Number(wanted), symmetric)));
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
  const exact = await areHalves(scales);
  const read = () => repack(codes, scales, zeros, shape, stored / group, exact);
  const spare = tensors.has(`${base}.qzeros`) ? [`${base}.qzeros`] : [];
  return { stored: storedInt4(about, shape, exact, read), used: [...parts.map(({ name }) => name), ...spare] };
}

/** @param share record groups that share one scale of the file */
async function repack(
  codes: LazyTensor,
  scales: LazyTensor,
  zeros: LazyTensor | null,
  shape: CodeShape,
  share: number,
  exact: boolean,
): Promise<WeightData> {
  const { rows } = shape;
  const zeroWords = zeros ? wordsOf(await readBytes(zeros)) : new Uint32Array(0);
  const words = wordsOf(await readBytes(codes));
  const at = (row: number, g: number) => Math.floor(g / share) * rows + row;
  const zero = (row: number, g: number) => (zeroWords[at(row, g) >> 3] >>> (4 * AWQ_NIBBLE[row & 7])) & 15;
  return packGrouped(shape, { scales, biases: null, at, zero, exact }, (writer) => transpose(writer, words));
}

/** Columns of words handled at once: eight rows of the file are read as runs of one cache line. */
const TILE = 16;

/** Turns eight words of eight outputs into eight words of eight inputs, for each eight inputs and outputs. */
function transpose({ packed, words: out, recordWords, groups }: R8Writer, words: Uint32Array): PackedInt4 {
  const { rows, cols, group } = packed;
  const across = rows / 8;
  const stepsPerGroup = group / 8;
  const blockWords = groups * recordWords;
  const box = new Uint32Array(8);
  for (let first = 0; first < across; first += TILE) {
    const end = Math.min(first + TILE, across);
    for (let step = 0; step < cols / 8; step++) {
      const inBlock = Math.floor(step / stepsPerGroup) * recordWords + (step % stepsPerGroup) * 8;
      for (let word = first; word < end; word++) {
        const from = step * 8 * across + word;
        for (let k = 0; k < 8; k++) box[k] = words[from + k * across];
        turnNibbles(box);
        const to = word * blockWords + inBlock;
        for (let lane = 0; lane < 8; lane++) out[to + lane] = spreadWord(box[AWQ_NIBBLE[lane]]);
      }
    }
  }
  return packed;
}

/** Transposes 8 x 8 nibbles in place: three rounds of exchanges (Warren, Hacker's Delight 7-3). */
function turnNibbles(box: Uint32Array): void {
  for (let i = 0; i < 4; i++) exchange(box, i, i + 4, 16, 0x0000ffff);
  for (let i = 0; i < 8; i++) if ((i & 2) === 0) exchange(box, i, i + 2, 8, 0x00ff00ff);
  for (let i = 0; i < 8; i += 2) exchange(box, i, i + 1, 4, 0x0f0f0f0f);
}

function exchange(box: Uint32Array, low: number, high: number, shift: number, mask: number): void {
  const moved = ((box[low] >>> shift) ^ box[high]) & mask;
  box[low] ^= moved << shift;
  box[high] ^= moved;
}
