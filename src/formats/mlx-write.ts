// Writes codes of 4 and 8 bits as MLX does (src/formats/mlx.ts reads it): codes [outputs, inputs * bits / 32] low bits first, f16
// scales and offsets a group, and the settings of config.json with each matrix's own bits. The one form here that holds
// mixed bits, and embeddings and vision towers beside the decoder.

import type { AffineCodes } from "../core/write.js";
import type { OutputTensor } from "./safetensors-write.js";

/** @param name in the file; ends in `.weight` */
export function mlxTensors(name: string, [rows, cols]: readonly number[], codes: AffineCodes): OutputTensor[] {
  const { bits, group } = codes;
  const base = name.replace(/\.weight$/, "");
  const groups = cols / group;
  const part = async (key: "words" | "scales" | "offsets") => {
    const values = (await codes.read())[key];
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  };
  return [
    { name: `${base}.weight`, dtype: "u32", shape: [rows, (cols * bits) / 32], bytes: () => part("words") },
    { name: `${base}.scales`, dtype: "f16", shape: [rows, groups], bytes: () => part("scales") },
    { name: `${base}.biases`, dtype: "f16", shape: [rows, groups], bytes: () => part("offsets") },
  ];
}

/** The `quantization` of config.json; the first matrix's form is everybody's unless told otherwise. @param matrices by canonical name */
export function mlxSettings(matrices: readonly { readonly name: string; readonly codes: AffineCodes }[]): object {
  const own = matrices.map(({ name, codes: { bits, group } }) => {
    return [name.replace(/\.weight$/, ""), { bits, group_size: group }] as const;
  });
  const [first] = own;
  return { ...(first?.[1] ?? { bits: 4, group_size: 64 }), mode: "affine", ...Object.fromEntries(own) };
}
