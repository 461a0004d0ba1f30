// Hugging Face's RoPE settings to a base and one divisor a frequency. "dynamic" stretches texts that are longer than what the
// model was made for, and leaves others alone: it is plain RoPE up to there. "longrope" (Phi's) is refused by name.

import type { RopeYarn } from "../core/config.js";
import type { Fields } from "./hf-fields.js";
import { yarnFactors, yarnGain } from "./yarn.js";

export interface Rope {
  readonly ropeTheta: number;
  /** [headDim / 2]; absent where every divisor is 1. */
  readonly ropeFactors?: readonly number[];
  /** YaRN's attention factor. */
  readonly ropeGain?: number;
  readonly ropeYarn?: RopeYarn;
}

/** Reads `rope_theta` and `rope_scaling`, or the newer `rope_parameters`. Throws InputError. */
export function readRope(fields: Fields, headDim: number): Rope {
  const newer = fields.object("rope_parameters");
  const ropeTheta = fields.number("rope_theta", newer.number("rope_theta", 10000));
  if (!(ropeTheta > 0)) throw fields.fail("rope_theta", `${ropeTheta} is not above 0`);
  const scaling = fields.has("rope_scaling") ? fields.object("rope_scaling") : newer;
  const type = scaling.text(scaling.has("rope_type") ? "rope_type" : "type", "default");
  if (type === "default") return { ropeTheta };
  if (type === "yarn") return { ropeTheta, ...readYarn(scaling, fields, ropeTheta, headDim) };
  if (type !== "linear" && type !== "llama3" && type !== "dynamic") {
    throw scaling.fail(
      "rope_type",
      `"${type}" is not supported`,
      "Supported are: default, linear, dynamic, llama3, yarn",
    );
  }
  const factor = scaling.number("factor", 1);
  if (!(factor >= 1)) throw scaling.fail("factor", `${factor} is below 1`);
  if (type === "dynamic") return { ropeTheta };
  const pairs = Array.from({ length: headDim / 2 }, (_, i) => i);
  if (type === "linear") return { ropeTheta, ropeFactors: pairs.map(() => factor) };
  const bounds = readBounds(scaling, fields);
  const ropeFactors = pairs.map((i) => llama3Factor(ropeTheta ** ((-2 * i) / headDim), factor, bounds));
  return { ropeTheta, ropeFactors };
}

/** Positions up to which "dynamic" scaling changes nothing; null for other kinds. */
export function dynamicReach(fields: Fields): number | null {
  const scaling = fields.object(fields.has("rope_scaling") ? "rope_scaling" : "rope_parameters");
  if (scaling.text(scaling.has("rope_type") ? "rope_type" : "type", "default") !== "dynamic") return null;
  const made = fields.count("max_position_embeddings", 2048);
  return Math.min(made, scaling.count("original_max_position_embeddings", made));
}

/** The scale is `factor`, or else how far the context was stretched; `original_max_position_embeddings` is what it was. */
function readYarn(scaling: Fields, fields: Fields, theta: number, headDim: number): Omit<Rope, "ropeTheta"> {
  const now = fields.count("max_position_embeddings", 2048);
  const context = scaling.count("original_max_position_embeddings", now);
  const factor = scaling.number("factor", now / context);
  const [betaFast, betaSlow] = [scaling.number("beta_fast", 32), scaling.number("beta_slow", 1)];
  if (!(factor >= 1)) throw scaling.fail("factor", `${factor} is below 1`);
  if (!(theta > 1)) throw fields.fail("rope_theta", `${theta} is not above 1`);
  if (!(betaSlow > 0 && betaFast >= betaSlow)) throw scaling.fail("beta_fast", `${betaFast} is below beta_slow`);
  const truncate = scaling.flag("truncate", true);
  const ropeFactors = yarnFactors({ theta, headDim, factor, context, betaFast, betaSlow, truncate });
  const [over, under] = [scaling.number("mscale", 0), scaling.number("mscale_all_dim", 0)];
  const gain = over && under ? yarnGain(factor, over) / yarnGain(factor, under) : yarnGain(factor);
  const ropeGain = scaling.number("attention_factor", gain);
  if (!(ropeGain > 0)) throw scaling.fail("attention_factor", `${ropeGain} is not above 0`);
  return { ropeFactors, ropeGain, ...(truncate ? { ropeYarn: { factor, context, betaFast, betaSlow } } : {}) };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
  /** Context that the model was trained with before scaling. */
  readonly context: number;
}

function readBounds(scaling: Fields, fields: Fields): Bounds {
  const low = scaling.number("low_freq_factor", 1);
  const high = scaling.number("high_freq_factor", 4);
  if (!(low > 0 && high > low)) throw scaling.fail("high_freq_factor", `${high} is not above low_freq_factor ${low}`);
  const context = scaling.count("original_max_position_embeddings", fields.count("max_position_embeddings", 8192));
  return { low, high, context };
}

/** Short waves stay, long ones are divided by `factor`, between them it fades (Llama 3.1, transformers' `llama3`). */
export function llama3Factor(frequency: number, factor: number, { low, high, context }: Bounds): number {
  const waves = (context * frequency) / (2 * Math.PI);
  if (waves > high) return 1;
  if (waves < low) return factor;
  const smooth = (waves - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}
