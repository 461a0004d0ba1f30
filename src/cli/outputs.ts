// Where results go: stdout by -o, files by --export-*. Files are tried before anything is measured and written whole
// under a temporary name, so that none is ever half there.

import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { InputError } from "../core/errors.js";
import type { BenchResult } from "../core/result.js";
import { makeFolder } from "../platform/folders.js";
import { nodePlatform } from "../platform/node.js";
import { FORMATS, type ReportFormat } from "../report/formats.js";
import type { HtmlAssets } from "../report/html.js";
import { type Painter, PLAIN } from "../report/table.js";
import type { Flag, Parsed } from "./flags.js";
import { suggest } from "./nearest.js";

const EXPORTED = ["json", "jsonl", "csv", "md", "html"] as const;

export const OUTPUT_FLAGS: readonly Flag[] = [
  { name: "output", short: "o", value: "FORMAT", help: "stdout as table, json, jsonl, csv or md" },
  ...EXPORTED.map((name) => ({ name: `export-${name}`, value: "FILE", help: `also write ${name} to a file` })),
];

export interface Outputs {
  readonly stdout: ReportFormat;
  readonly files: readonly { readonly path: string; readonly format: ReportFormat }[];
}

function formatNamed(name: string): ReportFormat {
  const format = FORMATS.find((candidate) => candidate.name === name);
  if (format?.stdout) return format;
  const names = FORMATS.filter(({ stdout }) => stdout).map((candidate) => candidate.name);
  throw new InputError("nibblemark", "--output", `"${name}" is no format of stdout`, suggest(name, names));
}

/** Throws InputError when a file could not be written there. Creates nothing but missing folders. */
export async function checkWritable(flag: string, path: string): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new InputError(
      path,
      flag,
      `cannot be written (${(error as Error).message})`,
      "Name a file in a folder of yours",
    );
  }
  const found = await stat(path).catch(() => null);
  if (found && !found.isFile()) throw new InputError(path, flag, "is not a file", "Name a file");
}

/** Throws InputError where two flags name one file: the later one would overwrite the other. */
export function refuseSameFile(parsed: Parsed, flags: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const flag of flags) {
    const path = parsed.text(flag);
    if (path === undefined) continue;
    const other = seen.get(resolve(path));
    if (other) throw new InputError(path, `--${flag}`, `is the file of --${other} too`, "Name two files");
    seen.set(resolve(path), flag);
  }
}

/** The outputs that the flags ask for, checked. */
export async function outputsOf(parsed: Parsed): Promise<Outputs> {
  const stdout = formatNamed(parsed.text("output") ?? "table");
  const files: { path: string; format: ReportFormat }[] = [];
  refuseSameFile(
    parsed,
    EXPORTED.map((name) => `export-${name}`),
  );
  for (const name of EXPORTED) {
    const path = parsed.text(`export-${name}`);
    const format = FORMATS.find((candidate) => candidate.name === name);
    if (path === undefined || !format) continue;
    await checkWritable(`--export-${name}`, path);
    files.push({ path, format });
  }
  return { stdout, files };
}

/** uPlot's files as its package has them. */
export async function htmlAssets(): Promise<HtmlAssets> {
  const folder = dirname(createRequire(import.meta.url).resolve("uplot/package.json"));
  const read = (name: string) => readFile(join(folder, "dist", name), "utf8");
  return { script: await read("uPlot.iife.min.js"), style: await read("uPlot.min.css") };
}

/** Writes files first, then stdout: a closed pipe costs no file. */
export async function writeOutputs(result: BenchResult, outputs: Outputs, paint: Painter): Promise<void> {
  const assets = outputs.files.some(({ format }) => format.name === "html")
    ? await htmlAssets()
    : { script: "", style: "" };
  const { writeWhole } = nodePlatform();
  for (const { path, format } of outputs.files) {
    await writeWhole(path, format.write(result, { paint: PLAIN, assets }));
  }
  process.stdout.write(outputs.stdout.write(result, { paint, assets }));
}
