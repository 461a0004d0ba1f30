// What tests of writers share: the concrete parts, a model as a source, and a folder of their own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openRounder } from "../../src/backends/wasm/rounder.js";
import type { Model } from "../../src/core/model.js";
import type { WriteSource } from "../../src/core/write.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { writeSource } from "../../src/formats/write-source.js";
import { nodePlatform } from "../../src/platform/node.js";

export const platform = nodePlatform();
export const shipped = platform.packagePath("models/nibblemark-llava-2m");
export const rounder = await openRounder(platform);
const parts = { repacker: await openRepacker(platform), quantizer: await openQuantizer(platform) };

/** An opened model as the writers take it. */
export async function withSource<T>(path: string, work: (source: WriteSource, model: Model) => Promise<T>): Promise<T> {
  const model = await openModel(platform, path);
  try {
    return await work(writeSource(model, parts), model);
  } finally {
    await closeModel(model);
  }
}

/** All values of a model by canonical name. */
export function valuesOf(path: string): Promise<Map<string, Float32Array>> {
  return withSource(path, async ({ tensors }) => {
    const entries: [string, Float32Array][] = [];
    for (const { name, floats } of tensors) entries.push([name, await floats()]);
    return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-write-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
