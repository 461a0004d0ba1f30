// The shipped model's shape and the plan of its training, as both the command and its workers need them.

import { join } from "node:path";
import type { Stage } from "../src/train/loop.js";
import type { LlavaConfig } from "../src/train/parameters.js";
import { jointStageRates, visionStageRates } from "../src/train/rates.js";
import { makeBatchSource, makeVisionSource } from "./model/data.js";
import { modelFolder } from "./model/tokenizer.js";
import { loadTokenizer } from "./model/tokenizer-json.js";

export const shardCount = 2;

export interface TrainPlan {
  readonly seed: number;
  readonly visionSteps: number;
  readonly jointSteps: number;
}

export const defaultPlan: TrainPlan = { seed: 1, visionSteps: 3000, jointSteps: 3200 };
const peakRate = 1.5e-3;
const warmupSteps = 200;
/** Pictures of a shard, and the weight of all text over that of all answers: grids are the hardest part. */
const jointData = { grids: 5, easyVqa: 3, textRatio: 0.7 };

export const modelConfig: LlavaConfig = {
  architecture: "llava",
  imageTokenId: 4,
  decoder: {
    hidden: 128,
    layers: 8,
    heads: 4,
    kvHeads: 4,
    headDim: 32,
    ffn: 256,
    vocab: 1024,
    maxContext: 512,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeStyle: "half",
    tiedEmbeddings: true,
  },
  vision: {
    imageSize: 64,
    patch: 16,
    hidden: 128,
    layers: 3,
    heads: 4,
    ffn: 256,
    normEps: 1e-5,
    activation: "quickGelu",
    featureLayer: -1,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  projector: { activation: "gelu", inputs: 128, outputs: 128 },
};

/** What makes two runs the same run. */
export function planRecord(plan: TrainPlan): Record<string, number | string> {
  return { ...plan, ...jointData, peakRate, warmupSteps, shards: shardCount };
}

export function makeStages({ seed, visionSteps, jointSteps }: TrainPlan, dataDir: string): Stage[] {
  const tokenizer = loadTokenizer(join(modelFolder, "tokenizer.json"));
  const schedule = (steps: number) => ({ peakRate, warmupSteps, steps });
  return [
    {
      name: "vision",
      schedule: schedule(visionSteps),
      source: makeVisionSource({ seed, dataDir }),
      rateOf: visionStageRates,
    },
    {
      name: "joint",
      schedule: schedule(jointSteps),
      source: makeBatchSource({ seed, dataDir, tokenizer, ...jointData }),
      rateOf: jointStageRates,
    },
  ];
}
