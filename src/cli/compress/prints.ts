// What tells two models or data files apart without reading terabytes: whole hashes of small files, and of large ones their size, the
// time of their last change, their header and pieces from all over.

import { createHash, type Hash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Model } from "../../core/model.js";
import type { Platform } from "../../core/ports.js";
import type { ByteSource } from "../../core/tensor.js";

/** Files up to this size are hashed whole. */
const WHOLE_BYTES = 64 * 2 ** 20;
const HEADER_BYTES = 2 ** 20;
const PIECES = 64;
const PIECE_BYTES = 2 ** 16;

const short = (hash: Hash): string => hash.digest("hex").slice(0, 16);

/** @param timed whether the time of the last change of a large file counts: a copy of it then counts as another */
async function addSource(hash: Hash, source: ByteSource, timed: boolean): Promise<void> {
  const { name, sizeBytes } = source;
  hash.update(`${basename(name)} ${sizeBytes}\n`);
  const add = async (from: number, bytes: number) => {
    hash.update(await source.read(from, Math.min(bytes, sizeBytes - from)));
  };
  if (sizeBytes <= WHOLE_BYTES) {
    for (let at = 0; at < sizeBytes; at += HEADER_BYTES) await add(at, HEADER_BYTES);
    return;
  }
  const changed = timed ? await stat(name).catch(() => null) : null;
  hash.update(`${changed?.mtimeMs ?? ""}\n`);
  await add(0, HEADER_BYTES);
  const step = (sizeBytes - PIECE_BYTES) / (PIECES - 1);
  for (let piece = 0; piece < PIECES; piece++) await add(Math.floor(piece * step), PIECE_BYTES);
}

/** Hash of one file. Throws InputError where it cannot be read. */
export async function filePrint(platform: Platform, path: string, timed = false): Promise<string> {
  const hash = createHash("sha256");
  const source = await platform.open(path);
  try {
    await addSource(hash, source, timed);
  } finally {
    await source.close();
  }
  return short(hash);
}

/** Hash of a model's weights and of the JSON files beside them. */
export async function modelPrint(platform: Platform, model: Model, path: string, timed = false): Promise<string> {
  const held = [...(model.stored?.values() ?? [])].flatMap(({ sources }) => sources);
  const sources = new Set([...[...model.tensors.values()].map(({ source }) => source), ...held]);
  const hash = createHash("sha256");
  const byName = new Map([...sources].map((source) => [source.name, source]));
  for (const name of [...byName.keys()].sort()) await addSource(hash, byName.get(name) as ByteSource, timed);
  const folder = (await platform.exists(`${path}/config.json`)) ? path : dirname(path);
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"]) {
    const file = `${folder}/${name}`;
    if (await platform.exists(file)) hash.update(`${name}\n${await platform.readText(file)}`);
  }
  return short(hash);
}
