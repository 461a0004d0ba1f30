// Text with an `<image>` placeholder to token ids: begin-of-text, then each placeholder as many image tokens as the image
// has rows, the way Hugging Face's LlavaProcessor expands it.

import { InputError } from "../core/errors.js";
import type { Tokenizer } from "../core/model.js";

const IMAGE_PLACEHOLDER = "<image>";

export interface ImageTokens {
  readonly id: number;
  /** Rows of one image. */
  readonly count: number;
}

/**
 * Token ids of a prompt. With an image and no placeholder, the text is a question: `<image>\n` + text + `\n`, which is
 * where the shipped model's answers begin.
 * @param image null when there is no image; then a placeholder is refused
 */
export function promptTokens(tokenizer: Tokenizer, text: string, image: ImageTokens | null): number[] {
  const begin = (tokenizer.addsBos ?? true) ? [tokenizer.bosId] : [];
  const pieces = text.split(IMAGE_PLACEHOLDER);
  if (!image) {
    if (pieces.length > 1) {
      throw new InputError("prompt", IMAGE_PLACEHOLDER, "there is no image", "Give one or leave the placeholder out");
    }
    const ids = tokenizer.encode(text);
    return ids[0] === tokenizer.bosId ? ids : [...begin, ...ids];
  }
  if (pieces.length > 2) {
    const problem = `it stands ${pieces.length - 1} times`;
    throw new InputError("prompt", IMAGE_PLACEHOLDER, problem, "Put one image in the prompt");
  }
  const [before, after] = pieces.length === 2 ? [pieces[0], pieces[1]] : ["", `\n${text}\n`];
  const rows = new Array<number>(image.count).fill(image.id);
  return [...begin, ...encodePart(tokenizer, before), ...rows, ...encodePart(tokenizer, after)];
}

function encodePart(tokenizer: Tokenizer, text: string): number[] {
  return text === "" ? [] : tokenizer.encode(text);
}
