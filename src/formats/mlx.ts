// MLX checkpoints (config.json "quantization"): codes [outputs, inputs * bits / 32] low bits first, w = scale * code + bias
// a group; 4 and 8 bits. Layout: ml-explore/mlx python/tests/test_quantized.py.

import { joinedBlocks, wideHeads } from "./pack-blocks.js";
import {
  areHalves,
  basesOf,
  filesOf,
  piece,
  readFloats,
  recordGroup,
  type Scheme,
  storedInt4,
  type TensorMap,
} from "./quant-scheme.js";

export const mlx: Scheme = {
  name: "MLX",
  matches: (settings) => settings.raw("quant_method") === undefined && settings.has("bits"),
  async collect({ settings, tensors }) {
    const mode = settings.text("mode", "affine");
    if (mode !== "affine") throw settings.fail("mode", `"${mode}" is not supported`, "Supported is: affine");
    const found = await Promise.all(
      basesOf(tensors, ".scales").map((base) => {
        const own = settings.raw(base) ? settings.object(base) : settings;
        const bits = own.count("bits", settings.count("bits", 4));
        if (bits !== 4 && bits !== 8) throw own.fail("bits", `${bits} is not supported`, "Supported are: 4, 8");
        return matrix(tensors, base, bits, own.count("group_size", settings.count("group_size", 64)));
      }),
    );
    return { stored: found.map(({ stored }) => stored), used: new Set(found.flatMap(({ used }) => used)) };
  },
};

async function matrix(tensors: TensorMap, base: string, bits: 4 | 8, stored: number) {
  const codes = piece(tensors, `${base}.weight`, ["u32"], [null, null]);
  const [rows, words] = codes.shape as readonly [number, number];
  const cols = (words * 32) / bits;
  const group = recordGroup(codes.name, stored, cols);
  const count = cols / stored;
  const kinds = ["f16", "bf16", "f32"] as const;
  const scales = piece(tensors, `${base}.scales`, kinds, [rows, count]);
  const biases = piece(tensors, `${base}.biases`, kinds, [rows, count]);
  const share = stored / group;
  const parts = [codes, scales, biases];
  const about = { name: `${base}.weight`, rows, cols, label: `MLX ${bits} bit g${stored}`, tensors: parts };
  const used = parts.map(({ name }) => name);
  if (bits === 4) {
    const shape = { rows, cols, group, offset: "bias" } as const;
    const places = { rowStride: count, groupStride: 1, share };
    const values = { scales, biases, zeros: null, ...places, exact: areHalves(scales, biases) };
    return { stored: storedInt4(about, shape, { tensor: codes, order: "rows", values }), used };
  }
  const heads = async () => wideHeads(await readFloats(scales), await readFloats(biases), stored);
  return { stored: { ...about, ...filesOf(parts), ...joinedBlocks("affine8", rows, cols, codes, heads) }, used };
}
