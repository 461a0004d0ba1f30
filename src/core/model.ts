// A model as the formats hand it over: a config and lazy tensors under canonical (Hugging Face LLaMA / LLaVA) names.

import type { ModelConfig } from "./config.js";
import type { KvFormat } from "./op.js";
import type { StoredMatrix } from "./stored.js";
import type { LazyTensor } from "./tensor.js";
import type { VocabularyData } from "./vocabulary.js";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** Text to token ids and back. `encode` adds no special tokens; special tokens in the text are recognised. */
export interface Tokenizer {
  readonly bosId: number;
  readonly eosId: number;
  readonly vocabSize: number;
  /** Whether a text begins with the begin-of-text token; absent: yes. */
  readonly addsBos?: boolean;
  /** The prompt that the model was tuned for, ending where its answer begins; absent: it has no chat template. */
  readonly chat?: (messages: readonly ChatMessage[]) => string;
  /** The whole of it as data, for writers. Throws InputError for what no other format can hold. */
  readonly vocabulary?: () => VocabularyData;
  encode(text: string): number[];
  /** Text of ids; bytes that form no complete UTF-8 are replaced. */
  decode(ids: readonly number[]): string;
}

export interface Model {
  readonly name: string;
  /** Where it was read from. */
  readonly origin: string;
  readonly config: ModelConfig;
  /**
   * Canonical names without the `language_model.` prefix of LLaVA files: `model.embed_tokens.weight`,
   * `model.layers.N.self_attn.q_proj.weight`, `lm_head.weight`, `vision_tower.vision_model...`, `multi_modal_projector...`.
   */
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  /**
   * Matrices that can stay as the file holds them, by canonical name; absent: none. Quantized ones are only here, those
   * in half precision in `tensors` too.
   */
  readonly stored?: ReadonlyMap<string, StoredMatrix>;
  /** How its maker wants keys and values of past positions kept (`nibblemark compress --kv`); absent: the file does not say. */
  readonly kv?: KvFormat;
  readonly tokenizer: Tokenizer | null;
  readonly fileBytes: number;
  /** What was taken for granted because the files do not say it, as sentences; absent: nothing. */
  readonly notes?: readonly string[];
}
