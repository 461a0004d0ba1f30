// The shipped event tables, parsed.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type EventTable, parseEventTable } from "../../src/counters/perf/tables.js";
import { root } from "./root.js";

export const EVENT_TABLES = join(root, "profiles", "events");

export function eventTables(): EventTable[] {
  return readdirSync(EVENT_TABLES).map((name) => parseEventTable(name, readFileSync(join(EVENT_TABLES, name), "utf8")));
}
