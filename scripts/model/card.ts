// Generates the model card (`README.md` beside the model) from what was measured; no figure in it is
// typed in. Run after training and evaluation: `node build/scripts/model/card.js`.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../../src/core/errors.js";
import { elementCount } from "../../src/core/tensor.js";
import { modelConfig, tensorShapes } from "./architecture.js";
import { writeWhole } from "./evalfiles.js";
import { type Facts, readFacts, type Score } from "./facts.js";
import { dataSources } from "./sources.js";
import { modelFolder } from "./tokenizer.js";

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function architecture(): string {
  const { text_config: text, vision_config: vision } = modelConfig;
  const values = [...tensorShapes().values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  return `LLaVA architecture, ${(values / 1e6).toFixed(2)} million parameters, fp16, in the naming of Hugging Face's
\`LlavaForConditionalGeneration\`:

${table(
  ["part", "shape"],
  [
    [
      "vision tower (CLIP ViT)",
      `${vision.image_size}x${vision.image_size} RGB, patches of ${vision.patch_size}, ${vision.num_hidden_layers} layers, width ${vision.hidden_size}, ${vision.num_attention_heads} heads, MLP ${vision.intermediate_size}`,
    ],
    ["projector", `${vision.hidden_size} - ${text.hidden_size} - ${text.hidden_size}, GELU`],
    [
      "decoder (LLaMA)",
      `${text.num_hidden_layers} layers, width ${text.hidden_size}, ${text.num_attention_heads} heads, SwiGLU ${text.intermediate_size}, vocabulary ${text.vocab_size}, tied embeddings`,
    ],
  ],
)}
Prompt of a visual question: \`<s>\`, ${modelConfig.image_seq_length} times \`<image>\`, line break, question, line break; then the answer and \`</s>\`.
`;
}

function training(facts: NonNullable<Facts["training"]>): string {
  return `Trained by this project's own trainer (\`npm run train\`): first the vision tower alone on labels (the digit and the
place of every patch; shape and colour), which stands in for CLIP's pre-training, then the whole model on questions and text
together. The training log is in \`train-log.jsonl\`; a test reruns its first 200 steps and finds the same figures.

${table(
  ["training", ""],
  [
    ["seed", facts.seed],
    ["steps (vision tower, whole model)", `${facts.visionSteps}, ${facts.steps}`],
    ["positions in the decoder", facts.positions.toLocaleString("en")],
    ["rows in the vision tower", facts.visionRows.toLocaleString("en")],
    ["arithmetic (6 x parameters x positions)", `${(facts.flop / 1e12).toFixed(1)} TFLOP`],
    ["time", `${(facts.wallSeconds / 60).toFixed(0)} min on ${facts.threads} thread(s) of ${facts.cpu}`],
  ],
)}`;
}

function accuracy({ correct, total }: Score): string {
  return `${((100 * correct) / total).toFixed(1)} % (${correct} of ${total})`;
}

function evaluation(facts: NonNullable<Facts["evaluation"]>): string {
  const rows = (set: string, scores: Readonly<Record<string, Score>>) =>
    Object.entries(scores).map(([type, score]) => [set, type, accuracy(score)]);
  return `Exact-match accuracy of greedy answers of the stored fp16 weights, computed by this project's own runtime (${facts.backend}):

${table(
  ["held-out set", "questions", "accuracy"],
  [...rows("easy-VQA, official test split", facts.easyVqa), ...rows("digit grids, unseen digits", facts.digits)],
)}
Perplexity on all held-out chapters and addresses: ${facts.text.perplexity.toFixed(2)} a token
(${facts.text.tokens} tokens, windows of ${facts.text.contextTokens}).
`;
}

const limits = `- It knows two kinds of 64x64 pictures: 2x2 grids of handwritten digits, and one coloured shape on a plain ground. Anything else gets a made-up answer.
- Questions must be worded as in training: lower case, one line.
- Its English is that of one novel and of presidential addresses; it was trained on stretches of at most 128 tokens.
- It exists to measure compression and memory on a real trained network of known quality. It is no assistant.
`;

/** The card's text. @throws InputError when something was not measured, or on another file */
export function modelCard(folder: string): string {
  const sha256 = createHash("sha256")
    .update(readFileSync(join(folder, "model.safetensors")))
    .digest("hex");
  const facts = readFacts(folder);
  const fail = (field: string, problem: string) =>
    new InputError(join(folder, "measured.json"), field, problem, "Run `npm run train` and `npm run eval` first.");
  if (!facts.training) throw fail("training", "is missing");
  if (!facts.evaluation) throw fail("evaluation", "is missing");
  if (facts.evaluation.modelSha256 !== sha256) throw fail("evaluation.modelSha256", "is of another model.safetensors");
  const sources = dataSources.map(({ origin, credit, licence, sha256: hash }) => [origin, credit, licence, hash]);
  return `---
license: mit
library_name: transformers
pipeline_tag: image-text-to-text
---

# nibblemark-llava-2m

The small vision-language model that Nibblemark ships and measures by default.

## Architecture

${architecture()}
## Data and credit

${table(["from", "what", "licence", "sha256 of the file"], sources)}
15 % of the digits of each class, easy-VQA's test split, and every twentieth chapter and speech were never trained on.
\`eval/\` holds 200 held-out questions with their pictures and 16 KB of held-out text.

## Training

${training(facts.training)}
## Measured quality

${evaluation(facts.evaluation)}
## Limits

${limits}
sha256 of \`model.safetensors\`: \`${sha256}\`
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeWhole(join(modelFolder, "README.md"), modelCard(modelFolder));
  process.stderr.write(`model card: written to ${modelFolder}\n`);
}
