// Measured cells as JSON Lines: appended as they come, read back on the next call. A torn last line is dropped.

import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Losses } from "../../src/compress/trial.js";
import { type Cell, cellKey } from "./cells.js";

export interface Chosen {
  readonly criterion: string;
  readonly removed: readonly number[];
  readonly order: readonly number[];
}

export type CellResult =
  | { readonly kind: "criteria"; readonly chosen: readonly Chosen[]; readonly seconds: number }
  | { readonly kind: "pipeline"; readonly losses: Losses; readonly layers: number; readonly seconds: number };

export interface Line {
  readonly key: string;
  readonly cell: Cell;
  readonly result: CellResult;
}

export interface Store {
  find(cell: Cell): CellResult | null;
  add(cell: Cell, result: CellResult): void;
  lines(): readonly Line[];
}

export function openStore(path: string): Store {
  const known = new Map<string, Line>();
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  for (const raw of text.split("\n")) {
    if (raw === "") continue;
    try {
      const line = JSON.parse(raw) as Line;
      known.set(line.key, line);
    } catch {
      // Killed while it was written.
    }
  }
  mkdirSync(dirname(path), { recursive: true });
  if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
  return {
    find: (cell) => known.get(cellKey(cell))?.result ?? null,
    add(cell, result) {
      const line = { key: cellKey(cell), cell, result };
      known.set(line.key, line);
      appendFileSync(path, `${JSON.stringify(line)}\n`);
    },
    lines: () => [...known.values()],
  };
}
