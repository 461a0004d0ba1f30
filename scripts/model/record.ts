// Takes the exported result of `nibblemark eval --official` into measured.json and writes the model card from it:
// `node build/scripts/model/record.js RESULT.json`. The last step of `npm run eval`.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.js";
import type { BenchResult, Score as CountedScore } from "../../src/core/result.js";
import { modelCard } from "./card.js";
import { writeWhole } from "./evalfiles.js";
import { addFacts, type EvaluationFacts, type Score } from "./facts.js";
import { modelFolder } from "./tokenizer.js";

/** Scores of one set by type, and all of them together. */
function byType(scores: readonly CountedScore[], set: string): Record<string, Score> {
  const own = scores.filter((score) => score.set === set);
  const sum = (key: "right" | "total") => own.reduce((total, score) => total + score[key], 0);
  const types = own.map(({ type, right, total }) => [type, { correct: right, total }] as const);
  return { all: { correct: sum("right"), total: sum("total") }, ...Object.fromEntries(types) };
}

/** Facts of the f32 run of the shipped model. Throws InputError when the result lacks it. */
function factsOf(path: string, result: BenchResult): EvaluationFacts {
  const own = result.quality.find(({ quant }) => quant === "f32");
  const perplexity = own?.figures.perplexity;
  if (!own || !perplexity || result.interrupted) {
    throw new InputError(path, "quality", "has no complete f32 evaluation", "Run npm run eval to its end");
  }
  const weights = readFileSync(join(modelFolder, "model.safetensors"));
  return {
    modelSha256: createHash("sha256").update(weights).digest("hex"),
    backend: `WebAssembly, ${result.environment.runtime}`,
    easyVqa: byType(own.scores, "easy-vqa"),
    digits: byType(own.scores, "digits"),
    text: { perplexity: perplexity.value, tokens: own.textTokens, contextTokens: 128 },
  };
}

const path = process.argv[2] ?? join(".cache", "eval.json");
const evaluation = factsOf(path, JSON.parse(readFileSync(path, "utf8")) as BenchResult);
addFacts(modelFolder, { evaluation });
writeWhole(join(modelFolder, "README.md"), modelCard(modelFolder));
process.stderr.write(`measured.json and the model card: written to ${modelFolder}\n`);
