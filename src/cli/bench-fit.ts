// `nibblemark bench --shape llava-1.5-7b --fit 4GiB`: its flags to a request, its report to stdout.

import { InputError } from "../core/errors.js";
import { fitRunSections } from "../report/fit-run-section.js";
import { sectionLines } from "../report/table.js";
import { converse } from "./conversation.js";
import { byteSize, type Flag, type Parsed, wholeNumber } from "./flags.js";
import type { FitRunRequest } from "./protocol.js";
import { painter, progressBar } from "./terminal.js";

export const FIT_FLAG: Flag = {
  name: "fit",
  value: "SIZE",
  help: "with --shape: the whole model, vision and all, in one memory of at most SIZE (24 layers, or --layers)",
};

/** Flags that mean something beside --fit. */
const USED = ["shape", "fit", "layers", "rounds", "threads", "seed", "output"];

export async function runFit(parsed: Parsed, names: readonly string[]): Promise<number> {
  const request = requestOf(parsed, names);
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") {
    throw new InputError("nibblemark bench", "--output", `"${format}" is not for --fit`, "Use table or json");
  }
  const event = await converse(request, progressBar(parsed.on("quiet")));
  if (event.kind !== "fit-ran") throw new Error(`unexpected answer ${event.kind}`);
  const lines = fitRunSections(event.report).flatMap((section) => sectionLines(section, painter(parsed)));
  process.stdout.write(format === "json" ? `${JSON.stringify(event.report, null, 2)}\n` : `${lines.join("\n")}`);
  return 0;
}

function requestOf(parsed: Parsed, names: readonly string[]): FitRunRequest {
  const fault = (flag: string, problem: string, remedy: string) =>
    new InputError("nibblemark bench", flag, problem, remedy);
  const other = names.find((name) => !USED.includes(name) && parsed.on(name));
  if (other) throw fault(`--${other}`, "has no meaning beside --fit", "Leave it out");
  const shape = parsed.text("shape");
  if (shape !== "llava-1.5-7b") {
    const problem = shape === undefined ? "needs a shape" : `does not know the shape "${shape}"`;
    throw fault("--fit", problem, "Add --shape llava-1.5-7b");
  }
  const size = parsed.text("fit") ?? "";
  const budgetBytes = byteSize(size);
  if (!budgetBytes) throw fault("--fit", `"${size}" is no size`, "Write a size such as 4GiB");
  const whole = (flag: string, least: number, most: number) => {
    const text = parsed.text(flag);
    return text === undefined ? null : wholeNumber("bench", flag, text, least, most);
  };
  return {
    kind: "fit-run",
    shape,
    budgetBytes,
    layers: whole("layers", 1, 32),
    textTokens: 448,
    decodeTokens: 16,
    rounds: whole("rounds", 1, 100) ?? 1,
    threads: whole("threads", 0, 256) ?? 0,
    seed: whole("seed", 0, 2 ** 32 - 1) ?? 1,
  };
}
