// A model that llama-gguf-split has cut into NAME-00001-of-0000N.gguf: the first file has the metadata, each its tensors and
// its place (split.no from 0, split.count, split.tensors.count). Source: llama.cpp's tools/gguf-split and llama-model-loader.

import { InputError } from "../../core/errors.js";
import { ggufFields } from "./fields.js";
import type { GgufFile, GgufTensor } from "./header.js";

const NAME = /-(\d{5})-of-(\d{5})\.gguf$/;
/** Checkpoints have some ten parts; each is an open file. */
const MOST_PARTS = 1024;

/**
 * One file, or all parts of a model as if they were one; any of them may be named.
 * @throws InputError for parts that are missing or belong to another model
 */
export async function openParts(path: string, open: (path: string) => Promise<GgufFile>): Promise<GgufFile> {
  const named = await open(path);
  const count = ggufFields(named).number("split.count", 1);
  if (count <= 1) return named;
  const [whole, no, of] = NAME.exec(path) ?? [];
  if (whole === undefined || Number(of) !== count || !(count <= MOST_PARTS)) {
    const problem = `is one of ${count} parts, its name must end in -00001-of-${String(count).padStart(5, "0")}.gguf`;
    throw new InputError(path, "split.count", problem, "Give the parts the names that they had");
  }
  const base = path.slice(0, -whole.length);
  const parts: GgufFile[] = [];
  for (let i = 0; i < count; i++) {
    const name = `${base}-${String(i + 1).padStart(5, "0")}-of-${of}.gguf`;
    const part = Number(no) === i + 1 ? named : await open(name);
    const fields = ggufFields(part);
    const [at, all] = [fields.number("split.no", -1), fields.number("split.count", -1)];
    if (at !== i || all !== count) {
      const problem = `says that it is part ${at + 1} of ${all}, it stands as ${i + 1} of ${count}`;
      throw new InputError(name, "split.no", problem, "Get all parts of one model");
    }
    parts.push(part);
  }
  const file = joined(path, parts);
  // A first part of metadata alone is not read again.
  await Promise.all(parts.filter((part) => part.tensors.size === 0).map(({ source }) => source.close()));
  return file;
}

function joined(path: string, parts: readonly GgufFile[]): GgufFile {
  const tensors = new Map<string, GgufTensor>();
  for (const part of parts) {
    for (const tensor of part.tensors.values()) {
      if (tensors.has(tensor.name)) {
        throw new InputError(part.source.name, tensor.name, "stands in two parts", "Get all parts of one model");
      }
      tensors.set(tensor.name, tensor);
    }
  }
  const told = ggufFields(parts[0]).number("split.tensors.count", tensors.size);
  if (told !== tensors.size) {
    const problem = `is ${told}, the parts have ${tensors.size} tensors together`;
    throw new InputError(path, "split.tensors.count", problem, "Get all parts of one model");
  }
  return { ...parts[0], tensors };
}
