// A model beside a base on one text, as llama.cpp's perplexity tool does it: chunks of equal length, each led by the
// begin-of-text token, the second half of each scored.

import { InputError } from "../core/errors.js";
import { type KldBase, type KldCoder, type KldHeader, type KldRow, scoredRows } from "../core/kld.js";
import type { Control, Session } from "./parts.js";

/**
 * Chunks of a text. Throws InputError for a text shorter than two chunks.
 * @param bosId replaces the first token of each chunk
 */
export function kldChunks(
  tokens: readonly number[],
  contextTokens: number,
  most: number,
  vocab: number,
  bosId: number,
): KldHeader {
  const chunks = Math.min(most, Math.floor(tokens.length / contextTokens));
  if (tokens.length < 2 * contextTokens) {
    const problem = `has ${tokens.length} tokens, two chunks of ${contextTokens} are needed`;
    throw new InputError("nibblemark eval", "--text", problem, "Give a longer text or a smaller --context");
  }
  const used = Int32Array.from(tokens.slice(0, chunks * contextTokens), (token, i) =>
    i % contextTokens ? token : bosId,
  );
  return { contextTokens, vocab, chunks, tokens: used };
}

function chunkOf({ contextTokens, tokens }: KldHeader, chunk: number): number[] {
  return [...tokens.subarray(chunk * contextTokens, (chunk + 1) * contextTokens)];
}

/** Logits of the scored positions of a chunk, [scoredRows, vocab]. */
export async function chunkLogits(session: Session, header: KldHeader, chunk: number): Promise<Float32Array> {
  const tokens = chunkOf(header, chunk);
  const first = Math.floor(header.contextTokens / 2);
  session.rewind();
  await session.next(tokens.slice(0, first));
  return session.score(tokens.slice(first, -1));
}

/** The figures of every scored position of a model beside a base; what was done when the user stopped it. */
export async function compareWithBase(
  base: KldBase,
  session: Session,
  coder: KldCoder,
  control: Control,
): Promise<KldRow[]> {
  const { header } = base;
  const rows: KldRow[] = [];
  for (let chunk = 0; chunk < header.chunks; chunk++) {
    control.progress({ stage: "comparing with the base", done: chunk, total: header.chunks });
    if (await control.stopped()) break;
    const records = await base.records(chunk);
    const logits = await chunkLogits(session, header, chunk);
    const targets = Int32Array.from(chunkOf(header, chunk).slice(-scoredRows(header.contextTokens)));
    rows.push(...coder.compare(records, logits, targets));
  }
  return rows;
}
