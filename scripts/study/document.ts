// docs/study.md and docs/study.json of what was measured.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "./store.js";

export function writeStudy(store: Store, folder: string): void {
  writeFileSync(join(folder, "study.json"), `${JSON.stringify({ schemaVersion: 1, cells: store.lines() })}\n`);
}
