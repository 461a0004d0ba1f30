// A model's own chat template (Jinja) through @huggingface/jinja: an interpreter of its own that reaches nothing outside
// the messages it is given.

import { Template } from "@huggingface/jinja";
import { InputError } from "../core/errors.js";
import type { ChatMessage } from "../core/model.js";

/** No template in use is longer; a longer one is no template. */
const LONGEST = 1 << 17;

/** Messages to the prompt that the model was tuned for, ending where its answer begins. Parsed at the first use. */
export function chatTemplate(
  file: string,
  source: string,
  bos: string,
  eos: string,
): (messages: readonly ChatMessage[]) => string {
  let template: Template | null = null;
  return (messages) => {
    try {
      if (source.length > LONGEST) throw new Error(`it has ${source.length} characters`);
      template ??= new Template(source);
      return template.render({
        messages: messages.map((message) => ({ ...message })),
        ...{ add_generation_prompt: true, bos_token: bos, eos_token: eos },
      });
    } catch (error) {
      const problem = `cannot be used: ${(error as Error).message}`;
      throw new InputError(file, "tokenizer.chat_template", problem, "Give the prompt as plain text");
    }
  };
}
