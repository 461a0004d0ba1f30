// MLX checkpoints (config.json "quantization"): codes [outputs, inputs * bits / 32] low bits first, w = scale * code + bias
// a group. Layout: ml-explore/mlx python/tests/test_quantized.py.

import { wordsOf } from "./half.js";
import { openR8, packRowWords } from "./pack-r8.js";
import {
  basesOf,
  piece,
  readBytes,
  readHalves,
  recordGroup,
  type Scheme,
  storedInt4,
  type TensorMap,
} from "./quant-scheme.js";

export const mlx: Scheme = {
  name: "MLX",
  matches: (settings) => settings.raw("quant_method") === undefined && settings.has("bits"),
  collect({ settings, tensors }) {
    const mode = settings.text("mode", "affine");
    if (mode !== "affine") throw settings.fail("mode", `"${mode}" is not supported`, "Supported is: affine");
    const found = basesOf(tensors, ".scales").map((base) => {
      const own = settings.raw(base) ? settings.object(base) : settings;
      const bits = own.count("bits", settings.count("bits", 4));
      if (bits !== 4) throw own.fail("bits", `${bits} is not supported`, "Supported is: 4");
      return matrix(tensors, base, own.count("group_size", settings.count("group_size", 64)));
    });
    return { stored: found.map(({ stored }) => stored), used: new Set(found.flatMap(({ used }) => used)) };
  },
};

function matrix(tensors: TensorMap, base: string, stored: number) {
  const codes = piece(tensors, `${base}.weight`, ["u32"], [null, null]);
  const [rows, words] = codes.shape as readonly [number, number];
  const cols = words * 8;
  const group = recordGroup(codes.name, stored, cols);
  const count = cols / stored;
  const kinds = ["f16", "bf16", "f32"] as const;
  const scales = piece(tensors, `${base}.scales`, kinds, [rows, count]);
  const biases = piece(tensors, `${base}.biases`, kinds, [rows, count]);
  const share = stored / group;
  const read = async () => {
    const [steps, edges] = [await readHalves(scales), await readHalves(biases)];
    const at = (row: number, g: number) => row * count + Math.floor(g / share);
    const values = {
      scale: (row: number, g: number) => steps[at(row, g)],
      offset: (row: number, g: number) => edges[at(row, g)],
    };
    return packRowWords(openR8({ rows, cols, group, offset: "bias" }, values), wordsOf(await readBytes(codes)));
  };
  const parts = [codes, scales, biases];
  const about = { name: `${base}.weight`, rows, cols, label: `MLX 4 bit g${stored}`, tensors: parts };
  return { stored: storedInt4(about, group, "bias", read), used: parts.map(({ name }) => name) };
}
