// Finds the published stories260K model beside the checkout and opens it for a test.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Model } from "../../src/core/model.js";
import { openLlama2c } from "../../src/formats/llama2c.js";
import { nodePlatform } from "../../src/platform/node.js";

// build/tests/model/stories.js -> the project -> the folder beside it
const FOLDER = fileURLToPath(new URL("../../../../shared/data/stories260K/", import.meta.url));

/** The folder, or null (with a printed reason) where it is absent; under CI=true absence is a failure. */
export function storiesFolder(): string | null {
  if (existsSync(join(FOLDER, "stories260K.bin"))) return FOLDER;
  const reason = `stories260K is not at ../shared/data of ${dirname(dirname(dirname(FOLDER)))}`;
  if (process.env.CI === "true") throw new Error(reason);
  console.log(`SKIP: ${reason}`);
  return null;
}

export function openStories(folder: string): Promise<Model> {
  return openLlama2c(nodePlatform(), join(folder, "stories260K.bin"));
}
