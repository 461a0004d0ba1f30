// `nibblemark report FILE...`: one result written anew in any format, or many side by side, a column each.

import { InputError } from "../core/errors.js";
import { nodePlatform } from "../platform/node.js";
import { chartPage } from "../report/chart-page.js";
import { FORMATS } from "../report/formats.js";
import { sectionMarkdown } from "../report/markdown.js";
import { machinesSideBySide, speedsSideBySide } from "../report/side-by-side.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";
import type { Parsed } from "./flags.js";
import { htmlAssets, OUTPUT_FLAGS, outputsOf, writeOutputs } from "./outputs.js";
import { type ResultFile, readResultFiles } from "./result-files.js";
import { painter } from "./terminal.js";

const MOST_FILES = 64;

/** Many runs as text of a format; null where that format cannot hold them. */
async function sideBySide(files: readonly ResultFile[], format: string, parsed: Parsed | null): Promise<string | null> {
  const runs = files.map(({ run }) => run);
  const sections = [machinesSideBySide(runs), speedsSideBySide(runs)];
  const title = "Nibblemark results side by side";
  switch (format) {
    case "table":
      return `${sections.flatMap((section) => (parsed ? sectionLines(section, painter(parsed)) : [])).join("\n")}\n`;
    case "md":
      return `${sections.map(sectionMarkdown).join("\n")}\n`;
    case "json":
      return `${JSON.stringify({ schemaVersion: 1, runs }, null, 2)}\n`;
    case "html":
      return chartPage(
        { title, lines: [runs.map(({ name }) => name).join(", ")], charts: [], sections },
        await htmlAssets(),
      );
    default:
      return null;
  }
}

async function writeMany(files: readonly ResultFile[], parsed: Parsed): Promise<void> {
  const outputs = await outputsOf(parsed);
  const write = async (format: string) => {
    const text = await sideBySide(files, format, parsed);
    if (text !== null) return text;
    const remedy = "Known for several files: table, md, json, html";
    throw new InputError("nibblemark report", format, "holds one result only", remedy);
  };
  const texts = await Promise.all(
    outputs.files.map(async ({ path, format }) => ({ path, text: await write(format.name) })),
  );
  const stdout = await write(outputs.stdout.name);
  for (const { path, text } of texts) await nodePlatform().writeWhole(path, text);
  process.stdout.write(stdout);
}

async function run(parsed: Parsed): Promise<number> {
  const [first] = parsed.positionals;
  if (first === undefined) {
    throw new InputError("nibblemark report", "", "needs a result file", "Write nibblemark report RESULT.json");
  }
  const files = await readResultFiles(parsed.positionals);
  const only = files.length === 1 ? files[0]?.result : null;
  if (only) await writeOutputs(only, await outputsOf(parsed), painter(parsed));
  else await writeMany(files, parsed);
  return 0;
}

const formats = FORMATS.map(({ name }) => name).join(", ");

export const reportCommand: Command = {
  name: "report",
  summary: `Writes a saved result in another format (${formats}), or puts many results side by side.`,
  usage: "RESULT... [flags]",
  examples: [
    "report result.json --export-html report.html",
    "report laptop.json server.json phone.json --export-html machines.html",
    "report mine.json llama-bench.json -o md",
  ],
  flags: OUTPUT_FLAGS,
  positionals: MOST_FILES,
  run,
};
