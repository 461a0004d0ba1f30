// An inspected model as tables.

import type { DecoderConfig, ModelConfig } from "../core/config.js";
import { ABSENT, bytesText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";

/** What src/cli/parts/inspection.ts finds out. */
export interface InspectedModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly fileBytes: number;
  readonly parameters: number;
  readonly contextTokens: number;
  readonly budgetBytes: number | null;
  readonly parts: readonly { readonly part: string; readonly parameters: number }[];
  readonly memory: readonly {
    readonly quant: string;
    readonly weights: number;
    readonly vision: number;
    readonly kv: number;
    readonly workspace: number;
    readonly total: number;
    readonly fits: boolean | null;
  }[];
  readonly classes: readonly {
    readonly name: string;
    readonly part: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly count: number;
    readonly bytes: number;
    readonly bitsPerWeight: number;
  }[];
  readonly notes: readonly string[];
}

const count = (value: number) => value.toLocaleString("en");

export function inspectionSections(found: InspectedModel): Section[] {
  return [classSection(found), architectureSection(found), partSection(found), memorySection(found)].map(
    withoutDefaults,
  );
}

function classSection({ name, config, parameters, fileBytes, classes }: InspectedModel): Section {
  const title = `${name}: ${config.architecture}, ${count(parameters)} parameters, ${bytesText(fileBytes)} on disk`;
  const columns = [
    left("tensors"),
    left("part"),
    left("type"),
    right("shape"),
    right("count"),
    right("bits a weight"),
    right("size"),
  ];
  const rows = classes.map((one) => [
    one.name,
    one.part,
    one.dtype,
    one.shape.join(" x "),
    String(one.count),
    one.bitsPerWeight.toFixed(2),
    bytesText(one.bytes),
  ]);
  return { title, columns, rows, notes: [] };
}

/** What the forward pass is made of, in words. */
function architectureSection({ config }: InspectedModel): Section {
  const c = config.decoder;
  const heads = c.kvHeads === c.heads ? `${c.heads} heads` : `${c.heads} heads on ${c.kvHeads} key heads`;
  const decoder = [
    `${c.layers} layers of ${c.hidden}, ${heads} of ${c.headDim}, SwiGLU ${c.ffn}`,
    `vocabulary ${count(c.vocab)}${c.tiedEmbeddings ? ", head tied to the embedding" : ""}`,
    `context ${count(c.maxContext)}, RoPE ${ropeText(c)}`,
    ...(c.biases ? [`biases of ${c.biases.join(", ")}`] : []),
  ];
  const rows = [["decoder", decoder.join("; ")]];
  if (config.architecture === "llava") {
    const v = config.vision;
    const patches = (v.imageSize / v.patch) ** 2;
    const tower = `${v.layers} layers of ${v.hidden}, ${v.heads} heads, MLP ${v.ffn}`;
    rows.push(["vision", `CLIP, pictures of ${v.imageSize} x ${v.imageSize} as ${patches} patches; ${tower}`]);
    rows.push(["projector", `${config.projector.inputs} to ${config.projector.outputs} in two layers`]);
  }
  return { title: "Architecture", columns: [left("part"), left("what it is")], rows, notes: [] };
}

function ropeText({ ropeTheta, ropeFactors, ropeGain }: DecoderConfig): string {
  if (!ropeFactors) return String(ropeTheta);
  const [least, most] = [Math.min(...ropeFactors), Math.max(...ropeFactors)].map((factor) => Number(factor.toFixed(3)));
  const range = least === most ? `${least}` : `${least} to ${most}`;
  const gain = ropeGain === undefined ? "" : `, attention times ${ropeGain.toFixed(4)}`;
  return `${ropeTheta}, frequencies divided by ${range}${gain}`;
}

function partSection({ parts }: InspectedModel): Section {
  const rows = parts.map(({ part, parameters }) => [part, count(parameters)]);
  return { title: "Parameters by part", columns: [left("part"), right("parameters")], rows, notes: [] };
}

function memorySection({ memory, contextTokens, budgetBytes, notes }: InspectedModel): Section {
  const labels = ["weights", "vision", "KV cache", "workspace", "together"];
  const fits = (verdict: boolean | null) => (verdict === null ? ABSENT : verdict ? "yes" : "no");
  const budget = budgetBytes === null ? "fits" : `fits ${bytesText(budgetBytes)}`;
  const rows = memory.map((one) => [
    one.quant,
    ...[one.weights, one.vision, one.kv, one.workspace, one.total].map(bytesText),
    fits(one.fits),
  ]);
  return {
    title: `Memory to run with ${contextTokens} positions`,
    columns: [left("weights as"), ...labels.map((label) => right(label)), right(budget, ABSENT)],
    rows,
    notes: [
      "Logical sizes (int4-g32: 4.5 bits a weight); a backend adds alignment and scratch. The KV cache is f32.",
      "stored: every matrix as the file holds it. vision: weights and activations of tower and projector.",
      ...notes.map((note) => `${note}.`),
    ],
  };
}
