// What a compression did: scores of all criteria side by side, what healing gained, and what each stage cost.

import type { CompressionReport, StageReport } from "../core/compression.js";
import type { Figure } from "../core/units.js";
import { digits } from "./format.js";
import type { Chart } from "./html-client.js";
import { SERIES_COLORS } from "./html-style.js";
import { left, right, type Section } from "./section.js";

const mib = (bytes: number): string => `${digits(bytes / 2 ** 20)} MiB`;

/** Columns of the stage table, in order, with how each reads. */
const FIGURES: readonly (readonly [key: string, label: string, text: (value: number) => string])[] = [
  ["klText", "KL text", (value) => value.toFixed(4)],
  ["klAnswer", "KL answers", (value) => value.toFixed(4)],
  ["top1", "top-1 %", (value) => (100 * value).toFixed(1)],
  ["perplexity", "perplexity", (value) => digits(value)],
  ["accuracy", "VQA %", (value) => (100 * value).toFixed(1)],
  ["answerShift", "blank image", (value) => value.toFixed(2)],
  ["prefill", "prefill t/s", (value) => digits(value)],
  ["decode", "decode t/s", (value) => digits(value)],
];

const cell = (figure: Figure | undefined, text: (value: number) => string) => (figure ? text(figure.value) : "–");

function stageSection(stages: readonly StageReport[]): Section {
  const shown = FIGURES.filter(([key]) => stages.some(({ figures }) => figures[key]));
  const first = stages[0];
  return {
    title: "What each stage cost",
    columns: [
      ...[left("stage"), right("blocks"), right("size"), right("saved %"), right("bits/weight"), right("to run")],
      ...shown.map(([, label]) => right(label)),
    ],
    rows: stages.map(({ stage, layers, weightBytes, bitsPerWeight, runBytes, figures }) => [
      ...[stage, String(layers), mib(weightBytes), (100 * (1 - weightBytes / first.weightBytes)).toFixed(1)],
      ...[bitsPerWeight.toFixed(2), mib(runBytes)],
      ...shown.map(([key, , text]) => cell(figures[key], text)),
    ]),
    notes: [
      `size: weight files, saved against the original's; to run: weights, KV cache and activations at ${first.contextTokens} positions; KL in nats a token from the original.`,
      "blank image: how far answers move (nats) when the picture is blank; near 0 the model ignores what it sees.",
    ],
  };
}

/** Over all tokens, then by class of token: every criterion side by side, a dash where it has no score of that class. */
function scoreSections({ criteria, removed }: CompressionReport): Section[] {
  const layers = Math.max(...criteria.map(({ scores }) => scores.all?.length ?? 0));
  const kinds = [...new Set(criteria.flatMap(({ scores }) => Object.keys(scores)))].filter((kind) => kind !== "all");
  const occurs = (kind: string) => criteria.some(({ scores }) => scores[kind]?.some((score) => score !== null));
  const value = (number: number | null | undefined) => (number === null || number === undefined ? "–" : digits(number));
  const section = (kind: string, title: string, notes: readonly string[]): Section => ({
    title,
    columns: [left("block"), ...criteria.map(({ criterion }) => right(criterion))],
    rows: Array.from({ length: layers }, (_, layer) => [
      removed.includes(layer) ? `${layer} *` : String(layer),
      ...criteria.map(({ scores }) => value(scores[kind]?.[layer])),
    ]),
    notes,
  });
  const note =
    "* removed. A span's score stands at its first block; healed-swap's is that of the best set it tried with the block.";
  return [
    section("all", "Scores of blocks (low ones are removed first)", [note]),
    ...kinds.filter(occurs).map((kind) => section(kind, `Scores of blocks by ${kind} tokens`, [])),
  ];
}

function agreementSection({ criteria }: CompressionReport): Section {
  const text = (value: number | null) => (value === null ? "" : value.toFixed(2));
  return {
    title: "Agreement of the criteria",
    columns: [left("criterion"), left("removes"), right("Kendall"), right("Spearman")],
    rows: criteria.map((one) => [one.criterion, one.removed.join(", "), text(one.kendall), text(one.spearman)]),
    notes: [`Rank agreement with ${criteria[0]?.criterion}.`],
  };
}

function healSection({ heal }: CompressionReport): Section {
  return {
    title: "Healing by ReplaceMe",
    columns: [left("blocks"), right("error without"), right("with the map")],
    rows: heal.runs.map(({ first, last, before, after }) => [
      first === last ? String(first) : `${first} to ${last}`,
      digits(before),
      digits(after),
    ]),
    notes: [
      "Mean squared error of the run's output on the calibration tokens, over its mean square (cosine form: 1 - cosine).",
    ],
  };
}

function sftSection({ heal: { sft } }: CompressionReport): Section[] {
  if (!sft) return [];
  return [
    {
      title: "Healing by SFT",
      columns: [left("held-out samples"), right("loss")],
      rows: [
        ["at the start", sft.start.toFixed(4)],
        [`kept, of step ${sft.step}`, sft.loss.toFixed(4)],
      ],
      notes: ["As training weighs it: answers, text and what distillation adds."],
    },
  ];
}

/** Mean over blocks of what linears read, by class of token. */
function activitySection({ activity }: CompressionReport): Section {
  const classes = [...new Set(activity.flatMap(({ classes: own }) => Object.keys(own)))];
  const inputs = Object.keys(activity[0]?.classes[classes[0]] ?? {});
  const labels: Readonly<Record<string, string>> = {
    ...{ attentionIn: "q, k, v", attended: "o", ffnIn: "gate, up", activated: "down" },
  };
  const mean = (kind: string, input: string) => {
    const values = activity.flatMap(({ classes: own }) => own[kind]?.[input] ?? []);
    return digits(values.reduce((sum, value) => sum + value, 0) / values.length);
  };
  return {
    title: "Calibration: mean magnitude of what linears read",
    columns: [left("tokens"), ...inputs.map((input) => right(labels[input] ?? input))],
    rows: classes.map((kind) => [kind, ...inputs.map((input) => mean(kind, input))]),
    notes: ["Mean over blocks; -o json has every block."],
  };
}

export function compressionSections(report: CompressionReport): Section[] {
  const { criteria, heal, stages, awq } = report;
  const gains = awq.map(({ gain }) => gain);
  return [
    ...(criteria.length > 0 ? scoreSections(report) : []),
    ...(criteria.length > 1 ? [agreementSection(report)] : []),
    ...(heal.runs.length > 0 ? [healSection(report)] : []),
    ...sftSection(report),
    ...(report.activity.length > 0 ? [activitySection(report)] : []),
    ...(gains.length > 0
      ? [
          {
            title: "AWQ",
            columns: [left("blocks"), right("least gain"), right("largest gain")],
            rows: [[String(gains.length), `${Math.min(...gains).toFixed(2)}x`, `${Math.max(...gains).toFixed(2)}x`]],
            notes: ["Error of the modules with plain rounding over that with the best scales, on sampled tokens."],
          },
        ]
      : []),
    ...(stages.length > 0 ? [stageSection(stages)] : []),
  ];
}

/** Charts of a report page: scores by block, each scaled to 0..1, and the loss of healing. */
export function compressionCharts({ criteria, heal }: CompressionReport): Chart[] {
  const color = (i: number) => SERIES_COLORS[i % SERIES_COLORS.length] as string;
  const scaled = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    const [least, most] = [Math.min(...known), Math.max(...known)];
    return values.map((value) => (value === null ? null : (value - least) / (most - least || 1)));
  };
  const scores: Chart = {
    name: "scores by block, each from 0 (removed first) to 1",
    xLabel: "block",
    yLabel: "score",
    scattered: true,
    x: (criteria[0]?.scores.all ?? []).map((_, layer) => layer),
    series: criteria.map(({ criterion, scores: all }, i) => ({
      label: criterion,
      color: color(i),
      y: scaled(all.all ?? []),
    })),
  };
  const loss: Chart = {
    name: "healing: loss by step",
    xLabel: "step",
    yLabel: "loss",
    scattered: false,
    x: heal.log.map(({ step }) => step),
    series: [
      { label: "training", color: color(0), y: heal.log.map((record) => record.loss) },
      { label: "held out", color: color(1), y: filled(heal.log.map((record) => record.heldOut)) },
    ],
  };
  return [...(criteria.length > 0 ? [scores] : []), ...(heal.log.length > 0 ? [loss] : [])];
}

/** The last known value stands until the next. */
function filled(values: readonly (number | null)[]): (number | null)[] {
  let last: number | null = null;
  return values.map((value) => {
    last = value ?? last;
    return last;
  });
}
