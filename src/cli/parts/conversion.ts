// What `nibblemark convert` does: opens a model, checks that the asked form can hold it, and writes it tensor by tensor
// into a place that appears whole or not at all.

import { realpath } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openRepacker } from "../../backends/wasm/repacker.js";
import { openRounder } from "../../backends/wasm/rounder.js";
import { InputError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { Group } from "../../core/packed.js";
import type { Platform } from "../../core/ports.js";
import { settled } from "../../core/stored.js";
import { elementCount } from "../../core/tensor.js";
import type { OutputFolder, WriteSource, WrittenType } from "../../core/write.js";
import { writeGgufFolder } from "../../formats/gguf-folder.js";
import { vocabularyMetadata } from "../../formats/gguf-vocabulary.js";
import { hfFilesOf } from "../../formats/hf-files.js";
import { type HfPlan, type WriteParts, type Written, writeHfFolder } from "../../formats/hf-write.js";
import { closeModel, openModel } from "../../formats/index.js";
import { writeSource } from "../../formats/write-source.js";
import { buildGraph } from "../../model/graph.js";
import { planOf } from "../../model/plan.js";
import { outputFiles, outputFolder } from "../../platform/node-output.js";
import { suggest } from "../nearest.js";

/** Names of `--to`, and what is written. */
const GGUF = {
  "gguf-f32": "F32",
  "gguf-f16": "F16",
  "gguf-q8_0": "Q8_0",
  "gguf-q4_1": "Q4_1",
  "gguf-q4_0": "Q4_0",
} as const;
const HF = {
  "hf-fp32": { kind: "f32" },
  "hf-fp16": { kind: "f16" },
  "hf-awq-g128": { kind: "awq", group: 128 as Group },
  "hf-awq-g64": { kind: "awq", group: 64 as Group },
  "hf-awq-g32": { kind: "awq", group: 32 as Group },
} as const satisfies Record<string, HfPlan["form"]>;

export type FormName = keyof typeof GGUF | keyof typeof HF;
export const FORM_NAMES = [...Object.keys(GGUF), ...Object.keys(HF)] as readonly FormName[];

export interface Conversion {
  readonly input: string;
  readonly output: string;
  readonly form: FormName;
  /** Replace what is there. */
  readonly force: boolean;
  /** For `__metadata__`: who wrote it. */
  readonly tool: string;
}

export interface Converted extends Written {
  readonly schemaVersion: 1;
  readonly input: string;
  readonly output: string;
  readonly form: FormName;
  readonly inputBytes: number;
  /** What was taken for granted of the input, as sentences. */
  readonly notes: readonly string[];
}

/** Throws InputError naming the nearest form. */
export function formNamed(name: string): FormName {
  const found = FORM_NAMES.find((form) => form === name);
  if (found) return found;
  throw new InputError("nibblemark convert", "--to", `"${name}" is unknown`, suggest(name, FORM_NAMES));
}

/** @throws InputError before anything is written for what the form cannot hold */
export async function convert(
  platform: Platform,
  asked: Conversion,
  onTensor: WriteParts["onTensor"],
): Promise<Converted> {
  await refuseSamePlace(asked);
  const model = await openModel(platform, asked.input);
  try {
    const written = await writeInto(await placeOf(asked), (folder) => write(platform, model, asked, folder, onTensor));
    const { input, output, form } = asked;
    const told = { input, output, form, inputBytes: model.fileBytes, notes: model.notes ?? [] };
    return { schemaVersion: 1, ...told, ...written };
  } finally {
    await closeModel(model);
  }
}

/** A model that is replaced while it is read would be lost. */
async function refuseSamePlace({ input, output }: Conversion): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => resolve(path));
  const [from, to] = [await real(input), await real(output)];
  if (from !== to && dirname(from) !== to) return;
  throw new InputError(output, "", "is where the model is read from", "Name another place");
}

/** What a run would miss is missed before anything is written. */
function checkComplete({ origin, config }: Model, { tensors }: WriteSource): void {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  for (const spec of buildGraph(config, { plan: planOf("f32"), activations: "f32", context: 1 }).tensors) {
    if (spec.class !== "weights") continue;
    const shape = shapes.get(spec.name);
    if (!shape) {
      throw new InputError(origin, spec.name, "the tensor is missing", "Get the whole checkpoint or fix its config");
    }
    if (elementCount(shape) === spec.rows * spec.cols && (shape.length === 1 || shape[0] === spec.rows)) continue;
    const problem = `has shape [${shape}], its config asks for [${spec.rows}, ${spec.cols}]`;
    throw new InputError(origin, spec.name, problem, "Use the config that belongs to this checkpoint");
  }
}

const isGguf = (form: FormName): form is keyof typeof GGUF => Object.hasOwn(GGUF, form);

function placeOf({ output, form, force }: Conversion): Promise<OutputFolder> {
  const options = { replace: force };
  if (output.endsWith(".gguf") && !isGguf(form)) {
    throw new InputError(output, "--to", `${form} is a folder, not a .gguf file`, "Name a folder, or a gguf form");
  }
  return output.endsWith(".gguf") ? outputFiles(output, options) : outputFolder(output, options);
}

async function writeInto(folder: OutputFolder, work: (folder: OutputFolder) => Promise<Written>): Promise<Written> {
  try {
    const written = await work(folder);
    await folder.commit();
    return written;
  } finally {
    await folder.discard();
  }
}

async function write(
  platform: Platform,
  model: Model,
  { output, form, tool }: Conversion,
  folder: OutputFolder,
  onTensor: WriteParts["onTensor"],
): Promise<Written> {
  const openers = { repacker: await openRepacker(platform), quantizer: await openQuantizer(platform) };
  const source = writeSource(model.stored ? { ...model, stored: await settled(model.stored) } : model, openers);
  checkComplete(model, source);
  const parts = { rounder: await openRounder(platform), ...(onTensor ? { onTensor } : {}) };
  const provenance = { tool, source: model.name, form };
  if (!isGguf(form)) {
    return writeHfFolder(folder, source, { form: HF[form], ...(await hfFilesOf(platform, model)), provenance }, parts);
  }
  const type: WrittenType = GGUF[form];
  const data = model.tokenizer?.vocabulary?.();
  if (!data) {
    const remedy = "Put its tokenizer.json beside it, or write a Hugging Face form";
    throw new InputError(model.origin, "tokenizer", "is missing, a GGUF file needs one", remedy);
  }
  const vocabulary = vocabularyMetadata(model.origin, data, model.config.decoder.vocab);
  const file = output.endsWith(".gguf") ? basename(output) : "model.gguf";
  return writeGgufFolder(folder, source, { type, vocabulary, file, provenance }, parts);
}
