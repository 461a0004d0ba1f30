// What would fail late in a compression, looked for before it begins: healing and quantization without the data they need, Gram matrices
// that cannot be inverted, a disk that is too small.

import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { linearsOf } from "../../compress/block.js";
import { mixedBits } from "../../compress/mixed.js";
import { runsOf } from "../../compress/replaceme.js";
import { type CalibrationSet, spread, TOKEN_CLASSES } from "../../compress/samples.js";
import { halvesOf } from "../../compress/trial.js";
import { InputError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import { elementCount } from "../../core/tensor.js";
import { ownType, ownTypeOf } from "../../formats/own-type.js";
import { type CompressRequest, criteriaOf } from "./request.js";
import { trainableReason } from "./trainable.js";

const fail = (field: string, problem: string, remedy: string) =>
  new InputError("nibblemark compress", field, problem, remedy);

export interface Sets {
  readonly calib: CalibrationSet | null;
  /** Samples of sft, where they are others. */
  readonly heal: CalibrationSet | null;
}

/** Throws InputError for healing that cannot be done, or not with these samples. */
export function checkHealing(
  { heal: healers, prune }: CompressRequest,
  { config }: Model,
  { calib, heal }: Sets,
): void {
  const replaced = healers.some((name) => name.startsWith("replaceme"));
  if (replaced && prune && "layers" in prune) runsOf(prune.layers);
  if (replaced && !calib) throw fail("--heal", "replaceme needs calibration data", "Give --calib FILE");
  const sft = healers.find((name) => name.startsWith("sft"));
  if (!sft) return;
  const reason = trainableReason(config);
  if (reason !== null) throw fail(`--heal ${sft}`, reason, "Heal by replaceme, which needs no gradients");
  const set = heal ?? calib;
  if (!set) throw fail(`--heal ${sft}`, "needs samples", "Give --heal-data FILE or --calib FILE");
  checkTaught(set, sft);
}

const taught = [TOKEN_CLASSES.indexOf("answer"), TOKEN_CLASSES.indexOf("text")];

/** Each sample must have a token to learn, and one sample is held out. */
function checkTaught({ samples, source }: CalibrationSet, healer: string): void {
  if (samples.length < 2) {
    const problem = "has one sample, one to learn from and one to hold out are needed";
    throw new InputError(source, "", problem, "Give more: some hundreds");
  }
  const idle = samples.findIndex(({ classes }) => !classes.some((kind, i) => i > 0 && taught.includes(kind)));
  if (idle < 0) return;
  const problem = `has neither an answer nor text that ${healer} could learn`;
  throw new InputError(source, `sample ${idle + 1}`, problem, "Give it an answer, or leave it out");
}

/** Throws InputError for quantization that needs data without data, and for fewer bits than codes with scales have. */
export function checkData({ plan }: CompressRequest, { config }: Model, calib: CalibrationSet | null): void {
  if (plan.meanBits !== null && plan.decoder) {
    const none = linearsOf(config.decoder, 0).map((linear) => ({ ...linear, error4: 0, error8: 0 }));
    mixedBits(none, plan.meanBits, plan.decoder);
  }
  const method = plan.decoder?.method;
  if (calib || !(method === "awq" || method === "gptq" || plan.meanBits !== null)) return;
  const remedy = "Give --calib FILE, or quantize by rtn or hqq";
  throw fail("--quant", "awq, gptq and mixed bits need calibration data", remedy);
}

const tokensOf = (samples: CalibrationSet["samples"]): number =>
  samples.reduce((sum, { tokens }) => sum + tokens.length, 0);

/**
 * Throws InputError where ReplaceMe's M^T M is sure to be singular: without a ridge, from fewer tokens than channels. Gives a warning where
 * GPTQ's would be without its damping.
 */
export function checkGrams(request: CompressRequest, { config }: Model, calib: CalibrationSet | null): string[] {
  if (!calib) return [];
  const { hidden, ffn } = config.decoder;
  const few = (tokens: number, what: string) => {
    const problem = `M^T M of ${tokens} tokens is singular: ${what} has ${hidden} channels`;
    return fail("--ridge 0", problem, `Give at least ${hidden} tokens of calibration, or --ridge 0.01`);
  };
  const solved = request.heal.includes("replaceme") && !request.heal.includes("replaceme-cosine");
  const all = tokensOf(calib.samples);
  if (request.ridge === 0 && solved && all < hidden) throw few(all, "the model");
  if (request.ridge === 0 && criteriaOf(request).includes("healed-swap")) {
    const tried = spread(calib.samples, request.searchSamples ?? calib.samples.length);
    const fitted = halvesOf(tried.length).map((half) => tokensOf(half.fitted.map((i) => tried[i])));
    if (Math.min(...fitted) < hidden)
      throw few(Math.min(...fitted), "healed-swap heals from half of the samples, the model");
  }
  if (request.plan.decoder?.method !== "gptq" || all >= Math.max(hidden, ffn)) return [];
  return [
    `gptq: ${all} calibration tokens are fewer than the ${Math.max(hidden, ffn)} inputs of a matrix; damping alone makes up for it`,
  ];
}

/** Bytes a weight of a checkpoint of sft: the value and two moments in f32; kept twice, and once more while one is replaced. */
const SFT_BYTES = 3 * 3 * 4;

/** Bytes a weight of a stage that rounds nothing. */
function widthOf({ tensors }: Model, heals: boolean): number {
  const found = [...tensors.values()].map(({ shape, dtype }) => {
    const own = ownTypeOf(dtype);
    return { shape, ...(own ? { dtype: own } : {}) };
  });
  const own = ownType({ tensors: found });
  return own === "f32" || (own === "bf16" && heals) ? 4 : 2;
}

/** Throws InputError where the disk has clearly too little room for the stages, their working files and the result. */
export async function checkDisk({ output, prune, heal, plan }: CompressRequest, model: Model): Promise<void> {
  const folder = dirname(resolve(output));
  const found = await statfs(folder).catch(() => null);
  if (!found) return;
  const { tensors, stored } = model;
  const quantized = [...(stored?.values() ?? [])].filter(({ name }) => !tensors.has(name));
  const weights =
    [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0) +
    quantized.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  // Stages in the model's own type (bf16 is healed into f32); codes of blocks a byte each with their scales, then as the result: at most f16 where nothing is rounded.
  const own = widthOf(model, heal.length > 0);
  const stages = (prune ? 1 : 0) + heal.length;
  const trained = heal.some((name) => name.startsWith("sft"));
  const result = plan.decoder ? 1.2 + (plan.decoder.bits / 8) * 1.2 : own;
  const [free, needed] = [found.bavail * found.bsize, weights * (own * stages + result + (trained ? SFT_BYTES : 0))];
  if (free >= needed) return;
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new InputError(folder, "", `has ${mib(free)} free, ${mib(needed)} are needed`, "Free some space");
}
