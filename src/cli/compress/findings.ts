// What the stages found, for the report: agreement of criteria, and what AWQ's search gained.

import type { CompressionReport, CriterionReport } from "../../core/compression.js";
import { kendall, spearman } from "../../stats/rank.js";
import { readBlock } from "./blocks.js";
import type { Scoring } from "./scoring.js";
import type { Work } from "./stages.js";

export function criteriaReports({ scores }: Scoring): CriterionReport[] {
  const ranks = (order: readonly number[]) => order.map((_, layer) => order.indexOf(layer));
  const [first] = scores;
  return scores.map((one, i) => ({
    criterion: one.criterion,
    removed: one.removed,
    scores: one.scores as CriterionReport["scores"],
    kendall: i === 0 ? null : kendall(ranks(first.order), ranks(one.order)),
    spearman: i === 0 ? null : spearman(ranks(first.order), ranks(one.order)),
  }));
}

/** How much less error AWQ's modules have than with plain rounding, by block. */
export async function awqGains({ engine, request, journal }: Work): Promise<CompressionReport["awq"]> {
  if (request.plan.decoder?.method !== "awq") return [];
  const gains: { layer: number; gain: number }[] = [];
  for (let layer = 0; await journal.has(`block-${layer}.safetensors`); layer++) {
    const { awq } = await readBlock(engine.platform, journal.path(`block-${layer}.safetensors`), layer);
    const sum = (field: "plainError" | "error") => awq?.scales.reduce((total, one) => total + one[field], 0) ?? 0;
    gains.push({ layer, gain: sum("plainError") / sum("error") });
  }
  return gains;
}
