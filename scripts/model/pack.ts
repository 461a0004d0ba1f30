// Packs questions about one picture, or a stretch of text, into one training sequence: a shared
// prefix that every segment sees, then one segment a question, each with its own positions,
// targets and loss weights.

import type { TrainSequence } from "../../src/core/batch.js";
import { type Bpe, bosId, eosId, imageId } from "./bpe.js";
import type { Question } from "./questions.js";

/** Tokens of one picture: 4x4 patches. */
export const imageTokens = 16;

/** The prompt up to the first generated token: `<s>`, 16 times `<image>`, line break, question, line break. */
export function promptTokens(tokenizer: Bpe, question: string): number[] {
  return [bosId, ...Array<number>(imageTokens).fill(imageId), ...tokenizer.encode(`\n${question}\n`)];
}

/**
 * One sequence for several questions on picture `image` of the batch.
 * Answers and their end token weigh 1, question tokens `questionWeight`; nothing predicts the image tokens.
 */
export function packQuestions(
  tokenizer: Bpe,
  image: number,
  questions: readonly Question[],
  questionWeight: number,
): TrainSequence {
  const tokens = [bosId, ...Array<number>(imageTokens).fill(imageId)];
  const prefix = tokens.length;
  const positions = tokens.map((_, i) => i);
  const segments: number[] = Array(prefix).fill(0);
  const targets: number[] = Array(prefix).fill(-1);
  const weights: number[] = Array(prefix).fill(0);
  questions.forEach(({ question, answer }, index) => {
    const asked = tokenizer.encode(`\n${question}\n`);
    const segment = [...asked, ...tokenizer.encode(answer), eosId];
    segment.forEach((token, i) => {
      const isLast = i === segment.length - 1;
      tokens.push(token);
      positions.push(prefix + i);
      segments.push(index + 1);
      targets.push(isLast ? -1 : segment[i + 1]);
      weights.push(isLast ? 0 : i >= asked.length - 1 ? 1 : questionWeight);
    });
  });
  return {
    image,
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(positions),
    segments: Int32Array.from(segments),
    targets: Int32Array.from(targets),
    weights: Float32Array.from(weights),
  };
}

/** `<s>` and the tokens [start, start + length - 1) of a stream, each predicting the next, all with one weight. */
export function packText(stream: Uint16Array, start: number, length: number, weight: number): TrainSequence {
  const targets = Int32Array.from(stream.subarray(start, start + length));
  const tokens = new Int32Array(length);
  tokens[0] = bosId;
  tokens.set(targets.subarray(0, length - 1), 1);
  return {
    image: -1,
    tokens,
    positions: Int32Array.from(tokens, (_, i) => i),
    segments: new Int32Array(length),
    targets,
    weights: new Float32Array(length).fill(weight),
  };
}
