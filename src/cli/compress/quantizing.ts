// The quantization stage: the decoder block by block, each kept on disk as soon as it is done, then embeddings, vision tower and
// projector by plain rounding or HQQ.

import { linearsOf } from "../../compress/block.js";
import { checkScales, roundMatrix } from "../../compress/codes.js";
import { mixedBits } from "../../compress/mixed.js";
import { quantizeDecoder, sensitivities } from "../../compress/quantize.js";
import type { CalibrationSet } from "../../compress/samples.js";
import { needsData, type QuantizePlan, type Scheme } from "../../compress/scheme.js";
import { InputError } from "../../core/errors.js";
import type { WriteSource } from "../../core/write.js";
import { changesOf, type LazyCodes, quantizedSource, readBlock, saveBlock } from "./blocks.js";
import { type Engine, floatsOf, longestOf } from "./engine.js";
import type { Journal } from "./journal.js";
import type { CompressRequest } from "./request.js";

export type OnStage = (stage: string, done: number, total: number) => Promise<void>;

/** The model with the plan's matrices as codes. */
export async function quantizeSource(
  engine: Engine,
  source: WriteSource,
  request: CompressRequest,
  set: CalibrationSet | null,
  journal: Pick<Journal, "path" | "has" | "once">,
  onStage: OnStage,
): Promise<WriteSource> {
  const { plan } = request;
  const { decoder } = plan;
  if (decoder) await decoderBlocks(engine, source, request, decoder, set, journal, onStage);
  const pathOf = (layer: number) => journal.path(blockName(layer));
  const blocks = await changesOf(engine.platform, decoder ? source.config.decoder.layers : 0, pathOf);
  const others = await otherMatrices(engine, source, plan, onStage);
  const matrices = new Map([...blocks.matrices, ...others]);
  return quantizedSource(engine.module, engine.repacker, source, { ...blocks, matrices });
}

async function decoderBlocks(
  engine: Engine,
  source: WriteSource,
  request: CompressRequest,
  scheme: Scheme,
  set: CalibrationSet | null,
  journal: Pick<Journal, "path" | "has" | "once">,
  onStage: OnStage,
): Promise<void> {
  const { plan, actOrder, duo, balanced } = request;
  if (needsData(plan) && !set) {
    const remedy = "Give --calib FILE, or quantize by rtn or hqq";
    throw new InputError("nibblemark compress", "--quant", "awq, gptq and mixed bits need calibration data", remedy);
  }
  const config = source.config.decoder;
  const floats = floatsOf(source);
  const forward = needsData(plan) && set ? await engine.forward(source, longestOf(set.samples)) : null;
  const { module, platform } = engine;
  try {
    const states = async () => (forward && set ? forward.embed(set.samples) : []);
    const classes = set?.samples.map((sample) => sample.classes) ?? [];
    const parts = async () => ({ module, config, floats, forward, states: await states(), classes });
    const bits = await journal.once("bits", async () => {
      if (plan.meanBits === null) return null;
      await onStage("finding sensitive matrices", 0, 1);
      return [...mixedBits(await sensitivities(await parts(), scheme), plan.meanBits, scheme)];
    });
    await quantizeDecoder(await parts(), {
      ...{ scheme, duo, balanced },
      known: async (layer) => {
        const name = blockName(layer);
        return (await journal.has(name)) ? readBlock(platform, journal.path(name), layer) : null;
      },
      gptq: { actOrder, damp: 0.01, block: 128 },
      ...(bits ? { bits: new Map(bits) } : {}),
      onLayer: (layer) => onStage(`quantizing by ${scheme.method}`, layer, config.layers),
      onBlock: (block) => {
        for (const [name, codes] of block.matrices) checkScales(module, name, codes);
        return saveBlock(platform, journal.path(blockName(block.layer)), block);
      },
    });
  } finally {
    await forward?.close();
  }
}

const blockName = (layer: number): string => `block-${layer}.safetensors`;

/** The scheme that a matrix with codes has them by. */
export const schemeOfMatrix = (name: string, shape: readonly number[], plan: QuantizePlan): Scheme | null =>
  schemeFor(name, shape, plan) ?? (name.startsWith("model.layers.") ? plan.decoder : null);

/** Which scheme a matrix outside the decoder's blocks gets; null: it stays as it is. */
function schemeFor(name: string, shape: readonly number[], plan: QuantizePlan): Scheme | null {
  if (shape.length !== 2 || !name.endsWith(".weight") || /norm/.test(name)) return null;
  if (name === "model.embed_tokens.weight" || name === "lm_head.weight") return plan.embedding;
  if (name.startsWith("multi_modal_projector.")) return plan.projector;
  return /^vision_tower\..*encoder\.layers\.\d+\.(?:self_attn|mlp)\./.test(name) ? plan.vision : null;
}

async function otherMatrices(
  { module }: Engine,
  source: WriteSource,
  plan: QuantizePlan,
  onStage: OnStage,
): Promise<Map<string, LazyCodes>> {
  const found = new Map<string, LazyCodes>();
  const wanted = source.tensors.flatMap((tensor) => {
    const scheme = schemeFor(tensor.name, tensor.shape, plan);
    return scheme ? [{ tensor, scheme }] : [];
  });
  for (const [i, { tensor, scheme }] of wanted.entries()) {
    await onStage("rounding the other parts", i, wanted.length);
    const [rows, cols] = tensor.shape;
    // Activations of these parts are not looked at: what asks for them is rounded plainly.
    const plain = scheme.method === "hqq" ? scheme : { ...scheme, method: "rtn" as const };
    const codes = roundMatrix(module, await tensor.floats(), rows, cols, plain);
    checkScales(module, tensor.name, codes);
    found.set(tensor.name, { ...codes, read: async () => codes });
  }
  return found;
}

/** Weights of the decoder's blocks, for estimates. */
export const blockWeights = (source: WriteSource): number =>
  linearsOf(source.config.decoder, 0).reduce((sum, { rows, cols }) => sum + rows * cols, 0);
