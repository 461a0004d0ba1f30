// Compares a text with a committed file under tests/golden/report; UPDATE_GOLDEN=1 writes it anew.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

export function matchesGolden(name: string, text: string): void {
  const folder = join(root, "tests", "golden", "report");
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  assert.fixture(text, readFileSync(join(folder, name), "utf8"));
}
