// Writes a model as GGUF files: `model.gguf`, and for LLaVA the projector `mmproj-model.gguf` beside it, tensor by tensor.

import type { OutputFolder, SourceTensor, WriteSource, WrittenType } from "../core/write.js";
import { decoderParts, type GgufParts, projectorParts } from "./gguf-export.js";
import { type GgufValue, ggufBytes, ggufChunks } from "./gguf-write.js";
import type { WriteParts, Written } from "./hf-write.js";
import { lossLog } from "./loss.js";

export interface GgufPlan {
  /** Of matrices; what the file calls itself. */
  readonly type: WrittenType;
  /** Of single matrices, where they differ. */
  readonly typeOf?: (tensor: SourceTensor) => WrittenType;
  /** Metadata of the tokenizer (gguf-vocabulary.ts). */
  readonly vocabulary: readonly (readonly [string, GgufValue])[];
  /** File name of the language model; the projector's is the same after `mmproj-`. */
  readonly file: string;
  /** Written as `nibblemark.KEY`: where the weights come from. */
  readonly provenance: Readonly<Record<string, string>>;
}

/**
 * Checks all sizes, then writes the projector, then the model, into `folder`, which the caller commits.
 * @throws InputError before anything is written where a row does not fit its type, with a proposal
 */
export async function writeGgufFolder(
  folder: OutputFolder,
  source: WriteSource,
  { type, typeOf, vocabulary, file, provenance }: GgufPlan,
  { rounder, onTensor }: WriteParts,
): Promise<Written> {
  const log = lossLog(rounder);
  const { config } = source;
  const parts = { rounder, log, ...(typeOf ? { typeOf } : {}) };
  const text = decoderParts(source, type, vocabulary, parts);
  const eyes = config.architecture === "llava" ? projectorParts(source, config, type, parts) : null;
  const count = text.tensors.length + (eyes?.tensors.length ?? 0);
  for (const tensor of [...text.tensors, ...(eyes?.tensors ?? [])]) ggufBytes(tensor);
  let index = 0;
  const files: { name: string; bytes: number }[] = [];
  const put = async (name: string, { metadata, tensors }: GgufParts) => {
    const told = tensors.map((tensor) => ({
      ...tensor,
      bytes: async () => {
        await onTensor?.(tensor.name, index++, count);
        return tensor.bytes();
      },
    }));
    const origin = Object.entries(provenance).map(
      ([key, value]) => [`nibblemark.${key}`, { type: "text", value }] as const,
    );
    files.push({ name, bytes: await folder.write(name, ggufChunks([...metadata, ...origin], told)) });
  };
  if (eyes) await put(`mmproj-${file}`, eyes);
  await put(file, text);
  return { files, loss: log.rows() };
}
