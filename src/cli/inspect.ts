// `nibblemark inspect`: a model file's tensors, sizes and memory. Reads headers only.

import { InputError } from "../core/errors.js";
import { closeModel, openModel } from "../formats/index.js";
import { nodePlatform } from "../platform/node.js";
import { inspectionSections } from "../report/inspection-section.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";

import { byteSize, type Parsed, wholeNumber } from "./flags.js";
import { inspectModel } from "./parts/inspection.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { painter } from "./terminal.js";

function budgetOf(parsed: Parsed): number | null {
  const text = parsed.text("budget");
  if (text === undefined) return null;
  const bytes = byteSize(text);
  if (bytes !== null && bytes > 0) return bytes;
  throw new InputError("nibblemark inspect", "--budget", `"${text}" is no size`, "Write a size such as 4GiB");
}

async function run(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") {
    throw new InputError("nibblemark inspect", "--output", `"${format}" is unknown`, "Known: table, json");
  }
  const budget = budgetOf(parsed);
  const asked = parsed.text("context");
  const context = asked === undefined ? null : wholeNumber("inspect", "context", asked, 1, 2 ** 24);
  const platform = nodePlatform();
  const [path = "shipped"] = parsed.positionals;
  const model = await openModel(platform, path === "shipped" ? platform.packagePath(SHIPPED_MODEL) : path);
  try {
    const found = inspectModel(model, context, budget);
    const paint = painter(parsed);
    const lines =
      format === "json"
        ? [JSON.stringify(found, null, 2), ""]
        : inspectionSections(found).flatMap((section) => sectionLines(section, paint));
    process.stdout.write(lines.join("\n"));
    return 0;
  } finally {
    await closeModel(model);
  }
}

export const inspectCommand: Command = {
  name: "inspect",
  summary: "Prints a model's tensors, its sizes by part, the memory that running it takes, and whether that fits.",
  usage: "[FILE] [flags]",
  examples: ["inspect", "inspect path/to/model --context 4096 --budget 4GiB", "inspect model.gguf -o json"],
  flags: [
    { name: "context", value: "N", help: "positions of the KV cache (default: the model's, at most 2048)" },
    { name: "budget", value: "SIZE", help: "memory that there is, such as 4GiB" },
    { name: "output", short: "o", value: "FORMAT", help: "table or json" },
  ],
  positionals: 1,
  run,
};
