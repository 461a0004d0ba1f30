// `nibblemark convert`: writes a model in another format, and says what rounding cost.

import { InputError } from "../core/errors.js";
import { nodePlatform } from "../platform/node.js";
import { conversionSections } from "../report/conversion-section.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";
import { INTERRUPTED } from "./conversation.js";
import type { Parsed } from "./flags.js";
import { type Conversion, convert, FORM_NAMES, formNamed } from "./parts/conversion.js";
import { packageVersion } from "./parts/environment.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { painter, progressBar } from "./terminal.js";

/** Ends the work at the next tensor, so that what was written so far is removed. */
class Interrupted extends Error {}

function requestOf(parsed: Parsed, shipped: string): Conversion {
  const [input, output] = parsed.positionals;
  if (input === undefined || output === undefined) {
    const remedy = "Write nibblemark convert IN OUT --to gguf-q8_0";
    throw new InputError("nibblemark convert", input === undefined ? "IN" : "OUT", "is missing", remedy);
  }
  const to = parsed.text("to");
  if (to === undefined) {
    throw new InputError("nibblemark convert", "--to", "is missing", `Known: ${FORM_NAMES.join(", ")}`);
  }
  return {
    input: input === "shipped" ? shipped : input,
    output,
    form: formNamed(to),
    force: parsed.on("force"),
    tool: `nibblemark ${packageVersion()}`,
  };
}

async function run(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") {
    throw new InputError("nibblemark convert", "--output", `"${format}" is unknown`, "Known: table, json");
  }
  const platform = nodePlatform();
  const request = requestOf(parsed, platform.packagePath(SHIPPED_MODEL));
  const bar = progressBar(parsed.on("quiet"));
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.on("SIGINT", stop);
  try {
    const found = await convert(platform, request, async (_name, done, total) => {
      bar.show({ stage: "writing", done, total });
      // Signals are heard between turns of the event loop only.
      await new Promise((resume) => setImmediate(resume));
      if (stopped) throw new Interrupted();
    });
    bar.clear();
    for (const note of found.notes) process.stderr.write(`note: ${note}\n`);
    const lines = conversionSections(found).flatMap((section) => sectionLines(section, painter(parsed)));
    process.stdout.write(format === "json" ? `${JSON.stringify(found, null, 2)}\n` : lines.join("\n"));
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED;
    throw error;
  } finally {
    process.off("SIGINT", stop);
    bar.clear();
  }
}

export const convertCommand: Command = {
  name: "convert",
  summary: "Writes a model in another format, and tells what rounding cost.",
  usage: "IN OUT --to FORM [flags]",
  examples: [
    "convert path/to/hf-folder model.gguf --to gguf-q8_0",
    "convert model.gguf path/to/new-folder --to hf-awq-g128",
    "convert path/to/awq-folder out --to hf-fp16 -o json",
  ],
  flags: [
    { name: "to", value: "FORM", help: FORM_NAMES.join(", ") },
    { name: "force", help: "replace what is there" },
    { name: "output", short: "o", value: "FORMAT", help: "table or json" },
  ],
  positionals: 2,
  run,
};
