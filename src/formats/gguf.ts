// GGUF, the file format of llama.cpp: one file with config, tokenizer and tensors; a LLaVA model has its vision tower and
// projector in a second file, `mmproj*.gguf` in the same folder. Opening reads headers only.

import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { Model, Tokenizer } from "../core/model.js";
import type { Platform } from "../core/ports.js";
import type { ByteSource } from "../core/tensor.js";
import { readDecoderConfig } from "./gguf/config.js";
import { ggufFields } from "./gguf/fields.js";
import { type GgufFile, readGgufHeader } from "./gguf/header.js";
import { decoderName } from "./gguf/names.js";
import { openParts } from "./gguf/parts.js";
import { sortTensors } from "./gguf/tensors.js";
import { readTokenizer } from "./gguf/tokenizer.js";
import { type Projector, readProjector } from "./gguf/vision.js";
import { KV_PROVENANCE, kvChoice } from "./kv-choice.js";

export { isGguf } from "./gguf/header.js";

/** Opens a model of one file, or two where a projector that fits stands beside it. Throws InputError. */
export async function openGguf(platform: Platform, path: string): Promise<Model> {
  const opened: ByteSource[] = [];
  const open = async (name: string): Promise<GgufFile> => {
    const source = await platform.open(name);
    opened.push(source);
    return readGgufHeader(source);
  };
  try {
    const file = await openParts(path, open);
    if (ggufFields(file).text("general.architecture") === "clip") {
      throw new InputError(path, "", "is a projector", "Name the language model; its projector is found beside it");
    }
    return await modelOf(path, file, await findProjector(platform, path, file, open));
  } catch (error) {
    await Promise.all(opened.map((source) => source.close()));
    throw error;
  }
}

/** From sources that are open already: a Blob, an address. @param projector the mmproj file, or null for text only */
export async function readGguf(name: string, source: ByteSource, projector: ByteSource | null): Promise<Model> {
  return modelOf(name, await readGgufHeader(source), projector && readProjector(await readGgufHeader(projector)));
}

async function modelOf(path: string, file: GgufFile, eyes: Projector | null): Promise<Model> {
  const decoder = await readDecoderConfig(file);
  const tokenizer = readTokenizer(file, decoder.vocab);
  const text = sortTensors(file, decoderName);
  const config: ModelConfig = eyes
    ? { architecture: "llava", decoder, ...pick(eyes), imageTokenId: placeholder(file, tokenizer) }
    : { architecture: "llama", decoder };
  const own = [...file.tensors.values()].map(({ source }) => source);
  const sources = new Set([file.source, ...own, ...(eyes ? sourcesOf(eyes) : [])]);
  return {
    name: path.replace(/^.*[/\\]/, "").replace(/\.gguf$/, ""),
    origin: path,
    config,
    tensors: new Map([...text.plain, ...(eyes?.tensors.plain ?? [])]),
    stored: new Map([...text.stored, ...(eyes?.tensors.stored ?? [])]),
    ...kvChoice(ggufFields(file).text(`nibblemark.${KV_PROVENANCE}`, "")),
    tokenizer,
    fileBytes: [...sources].reduce((sum, source) => sum + source.sizeBytes, 0),
  };
}

const pick = ({ vision, projector }: Projector) => ({ vision, projector });

function sourcesOf({ tensors }: Projector): ByteSource[] {
  return [
    ...[...tensors.plain.values()].map(({ source }) => source),
    ...[...tensors.stored.values()].flatMap((m) => m.sources),
  ];
}

/** Vocabularies of llama.cpp have no image token: the unknown token, which text with bytes never gives, stands for it. */
function placeholder(file: GgufFile, tokenizer: Tokenizer | null): number {
  const [image] = tokenizer?.encode("<image>") ?? [];
  const own = ggufFields(file).texts("tokenizer.ggml.tokens")?.indexOf("<image>") ?? -1;
  return own >= 0 && image === own ? own : ggufFields(file).number("tokenizer.ggml.unknown_token_id", 0);
}

/** The one projector beside the model whose outputs are as wide as the decoder; null when there is none. */
async function findProjector(
  platform: Platform,
  path: string,
  file: GgufFile,
  open: (name: string) => Promise<GgufFile>,
): Promise<Projector | null> {
  const folder = path.replace(/[^/\\]*$/, "") || "./";
  const own = path.slice(path.replace(/[^/\\]*$/, "").length);
  const names = (await platform.list(folder)).filter((name) => /mmproj.*\.gguf$/i.test(name) && name !== own);
  const { hidden } = await readDecoderConfig(file);
  const fitting: [string, Projector][] = [];
  for (const name of names) {
    const found = await open(folder + name);
    if (ggufFields(found).text("general.architecture", "") !== "clip") continue;
    if (found.tensors.get("mm.2.weight")?.shape[0] === hidden) fitting.push([name, readProjector(found)]);
    else await found.source.close();
  }
  if (fitting.length <= 1) return fitting[0]?.[1] ?? null;
  const list = fitting.map(([name]) => name).join(", ");
  throw new InputError(path, "mmproj", `${list} all fit this model`, "Keep one of them in the folder");
}
