// One compressed model of a sweep: made by `nibblemark compress` in a process of its own, measured, and removed again.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseScheme } from "../../compress/scheme.js";
import type { CompressionReport } from "../../core/compression.js";
import { InputError } from "../../core/errors.js";
import type { Forms } from "./fit-speed.js";

const MAIN = fileURLToPath(new URL("../main.js", import.meta.url));

/** What a model is made by. */
export interface Recipe {
  readonly model: string;
  readonly prune: number;
  readonly heal: string;
  readonly quant: string;
  readonly criterion: string;
  /** Further arguments of compress. */
  readonly extra: readonly string[];
}

export const keyOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

/** Forms that the kernels run a scheme in. */
export function formsOf(quant: string): Forms {
  const scheme = parseScheme("--quant", quant);
  const rest = { embedding: "f16", vision: "f16", projector: "f16" } as const;
  if (!scheme) return { decoder: "f16", ...rest };
  if (scheme.bits === 8) return { decoder: "int8", ...rest };
  return { decoder: `int4-g${scheme.group as 32 | 64 | 128}`, ...rest };
}

/** Runs the recipe; what a killed call left is gone on with. Throws InputError for a recipe that compress refuses. */
export async function compressOnce(recipe: Recipe, folder: string): Promise<CompressionReport> {
  const { model, prune, heal, quant, criterion, extra } = recipe;
  const out = join(folder, keyOf(recipe));
  await mkdir(folder, { recursive: true });
  const args = [
    ...["compress", model, out, "--quant", quant, "-o", "json", "--quiet", "--yes", "--force"],
    ...(prune > 0 ? ["--prune", String(prune), "--criterion", criterion] : []),
    ...(heal === "none" ? [] : ["--heal", heal]),
    ...extra,
  ];
  const { code, stdout, stderr } = await ended(args);
  if (code === 0) {
    await rm(out, { recursive: true, force: true });
    return JSON.parse(stdout) as CompressionReport;
  }
  const problem = `compress ended with ${code}: ${stderr.trim()}`;
  throw new InputError(`${prune} blocks, ${heal}, ${quant}`, "", problem, "Leave this combination out");
}

function ended(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
