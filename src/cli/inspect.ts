// `nibblemark inspect`: a model file's tensors and sizes. Reads headers only.

import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import { type TensorSpec, tensorBytes } from "../core/op.js";
import { QUANT_NAMES } from "../core/scenario.js";
import { elementCount } from "../core/tensor.js";
import { closeModel, openModel } from "../formats/index.js";
import { buildGraph } from "../model/graph.js";
import { planOf } from "../model/plan.js";
import { nodePlatform } from "../platform/node.js";
import { bytesText } from "../report/format.js";
import { left, right, type Section } from "../report/section.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";
import type { Parsed } from "./flags.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { painter } from "./terminal.js";

interface Inspection {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly config: Model["config"];
  readonly fileBytes: number;
  readonly parameters: number;
  readonly parts: readonly { readonly part: string; readonly parameters: number }[];
  /** Bytes to run with the whole context, by format and kind of tensor. */
  readonly memory: readonly {
    readonly quant: string;
    readonly weights: number;
    readonly kv: number;
    readonly activations: number;
  }[];
  readonly tensors: readonly {
    readonly name: string;
    readonly part: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
}

/** Parameters of a graph's weights, summed by part. */
function partsOf(specs: readonly TensorSpec[]): Inspection["parts"] {
  const weights = specs.filter((spec) => spec.class === "weights");
  return [...new Set(weights.map(({ part }) => part))].map((part) => ({
    part,
    parameters: weights.reduce((sum, spec) => sum + (spec.part === part ? spec.rows * spec.cols : 0), 0),
  }));
}

function inspect(model: Model): Inspection {
  const graphOf = (quant: (typeof QUANT_NAMES)[number]) =>
    buildGraph(model.config, { plan: planOf(quant, model.stored), activations: "f32" }).tensors;
  const specs = graphOf("f32");
  const partOf = new Map(specs.map(({ name, part }) => [name, part]));
  const memory = QUANT_NAMES.map((quant) => {
    const sum = (wanted: TensorSpec["class"]) =>
      graphOf(quant).reduce((total, spec) => total + (spec.class === wanted ? tensorBytes(spec) : 0), 0);
    return { quant, weights: sum("weights"), kv: sum("kv"), activations: sum("activations") + sum("input") };
  });
  const tensors = [...model.tensors.values()].map(({ name, dtype, shape, byteLength }) => {
    return { name, part: partOf.get(name) ?? "unused", dtype, shape, bytes: byteLength };
  });
  return {
    schemaVersion: 1,
    name: model.name,
    config: model.config,
    fileBytes: model.fileBytes,
    parameters: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    parts: partsOf(specs),
    memory,
    tensors,
  };
}

function sectionsOf(found: Inspection): Section[] {
  const { decoder } = found.config;
  return [
    {
      title: `${found.name}: ${found.config.architecture}, ${found.parameters.toLocaleString("en")} parameters, ${bytesText(found.fileBytes)} on disk`,
      columns: [left("tensor"), left("part"), left("type"), right("shape"), right("size")],
      rows: found.tensors.map(({ name, part, dtype, shape, bytes }) => [
        name,
        part,
        dtype,
        shape.join(" x "),
        bytesText(bytes),
      ]),
      notes: [],
    },
    {
      title: "Parameters by part",
      columns: [left("part"), right("parameters")],
      rows: found.parts.map(({ part, parameters }) => [part, parameters.toLocaleString("en")]),
      notes: [],
    },
    {
      title: `Memory to run with all ${decoder.maxContext} positions`,
      columns: [left("weights as"), right("weights"), right("KV cache"), right("activations"), right("together")],
      rows: found.memory.map(({ quant, weights, kv, activations }) => [
        quant,
        ...[weights, kv, activations, weights + kv + activations].map(bytesText),
      ]),
      notes: ["Logical sizes (int4-g32: 4.5 bits a weight); a backend adds alignment and scratch."],
    },
  ];
}

async function run(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") {
    throw new InputError("nibblemark inspect", "--output", `"${format}" is unknown`, "Known: table, json");
  }
  const platform = nodePlatform();
  const [path = "shipped"] = parsed.positionals;
  const model = await openModel(platform, path === "shipped" ? platform.packagePath(SHIPPED_MODEL) : path);
  try {
    const found = inspect(model);
    const paint = painter(parsed);
    if (format === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    else
      process.stdout.write(
        sectionsOf(found)
          .flatMap((section) => sectionLines(section, paint))
          .join("\n"),
      );
    return 0;
  } finally {
    await closeModel(model);
  }
}

export const inspectCommand: Command = {
  name: "inspect",
  summary: "Prints a model's tensors, its sizes by part, and the memory it needs in each format.",
  usage: "[FILE] [flags]",
  examples: ["inspect", "inspect path/to/model -o json"],
  flags: [{ name: "output", short: "o", value: "FORMAT", help: "table or json" }],
  positionals: 1,
  run,
};
