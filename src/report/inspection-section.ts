// An inspected model as tables.

import { ABSENT, bytesText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";

/** What src/cli/parts/inspection.ts finds out. */
export interface InspectedModel {
  readonly name: string;
  readonly config: { readonly architecture: string };
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
}

const count = (value: number) => value.toLocaleString("en");

export function inspectionSections(found: InspectedModel): Section[] {
  return [classSection(found), partSection(found), memorySection(found)].map(withoutDefaults);
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

function partSection({ parts }: InspectedModel): Section {
  const rows = parts.map(({ part, parameters }) => [part, count(parameters)]);
  return { title: "Parameters by part", columns: [left("part"), right("parameters")], rows, notes: [] };
}

function memorySection({ memory, contextTokens, budgetBytes }: InspectedModel): Section {
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
    ],
  };
}
