// Plans that fit a budget, and what each needs.

import type { FitPlan, FitReport } from "../core/fit.js";
import { ABSENT, bytesText, digits, percentText } from "./format.js";
import { type Column, left, right, type Section } from "./section.js";

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

export function fitSections(report: FitReport): Section[] {
  return [planSection(report), partSection(report)];
}

function planSection(report: FitReport): Section {
  const { model, allLayers, budgetBytes, context, plans, topologies, host, threads } = report;
  const speeds = topologies.map((name): Column => right(`t/s ${name}`));
  const rows = plans.map((plan) => [
    plan.scheme,
    plan.kv,
    ...(plan.removed === null
      ? ["never", ABSENT, ABSENT, ABSENT]
      : [String(plan.removed), `${plan.layers} of ${allLayers}`, gib(plan.bytes.total), savedText(plan)]),
    ...topologies.map((name) => (plan.removed === null ? ABSENT : digits(plan.tokensPerSecond[name] ?? 0))),
    qualityText(plan),
  ]);
  const columns = [
    ...[left("scheme"), left("KV"), right("remove"), right("layers"), right("needs"), right("saves")],
    ...speeds,
    left("quality"),
  ];
  const notes = [
    `needs: weights, keys and values of ${context} positions, and a workspace; saves: of the unpruned model's f16 weights (${gib(report.halfBytes)}).`,
    `t/s: predicted for one token at a full context, host profile ${host}, ${threads} threads, this program's kernels; where KV is f16 they keep f32.`,
    ...floorNotes(report),
  ];
  return { title: `${model} in ${bytesText(budgetBytes)}, context ${context}`, columns, rows, notes };
}

/** A small model's workspace may be larger than its weights: then nothing is saved. */
const savedText = ({ saved }: FitPlan): string => (saved < 0 ? "nothing" : percentText(saved));

function qualityText({ quality }: FitPlan): string {
  if (!quality) return "unknown";
  return [
    ...(quality.kld === null ? [] : [`KL ${quality.kld.toFixed(4)}`]),
    ...(quality.top1 === null ? [] : [`top-1 ${percentText(quality.top1)}`]),
  ].join(", ");
}

function floorNotes({ floor, plans, dropped }: FitReport): string[] {
  if (floor.kld === null && floor.top1 === null) return [];
  const unknown = plans.filter(({ quality, removed }) => !quality && removed !== null).length;
  return [
    ...(dropped.length > 0 ? [`${dropped.length} plans left out: measured, and below the asked quality.`] : []),
    ...(unknown > 0
      ? [
          `${unknown} plans of unknown quality: a config alone says nothing of it. Measure one with nibblemark compress -o json and give the file by --report.`,
        ]
      : []),
  ];
}

function partSection({ plans }: FitReport): Section {
  const fitting = plans.filter(({ removed }) => removed !== null);
  const rows = fitting.map(({ scheme, kv, bytes }) => [
    scheme,
    kv,
    ...[bytes.decoder, bytes.embedding, bytes.vision, bytes.projector, bytes.kv, bytes.workspace].map(bytesText),
  ]);
  const columns = [
    ...[left("scheme"), left("KV"), right("decoder"), right("embedding, head"), right("vision", "0 B")],
    ...[right("projector", "0 B"), right("keys, values"), right("workspace")],
  ];
  const schemes = [...new Map(fitting.map(({ scheme, help }) => [scheme, help]))];
  return { title: "By part", columns, rows, notes: schemes.map(([name, help]) => `${name}: ${help}.`) };
}
