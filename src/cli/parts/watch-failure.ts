// What a watch leaves behind of a program that failed: how it ended, in every file that was asked for, and no figures.

import { appendFileSync, writeFileSync } from "node:fs";
import type { Platform } from "../../core/ports.js";
import type { FailedWatch } from "../../core/watch.js";
import { timelineHtml } from "../../report/timeline.js";
import { failedLine, failedSections } from "../../report/watch.js";
import type { Parsed } from "../flags.js";
import { htmlAssets } from "../outputs.js";
import { writeStderr } from "./live-table.js";
import type { ProgramFailed } from "./plain-runs.js";

/** Writes the failure to stderr and the files of the flags. `begun`: the file of epochs holds those of this run. */
export async function writeFailure(
  platform: Platform,
  parsed: Parsed,
  command: readonly string[],
  { message: failed, end: program }: ProgramFailed,
  begun: boolean,
): Promise<void> {
  const result: FailedWatch = { schemaVersion: 1, kind: "watch", failed, command, program };
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const json = parsed.text("export-json");
  if (json) await platform.writeWhole(json, text);
  const lines = parsed.text("export-jsonl");
  if (lines) (begun ? appendFileSync : writeFileSync)(lines, failedLine(result));
  const html = parsed.text("export-html");
  if (html) {
    const sections = failedSections(result);
    const page = { title: `Nibblemark: ${sections[0]?.title ?? ""}`, pools: [], epochs: [], sections };
    await platform.writeWhole(html, timelineHtml(page, await htmlAssets()));
  }
  writeStderr(parsed.text("output") === "json" ? text : `nibblemark: ${failed}\n`);
}
