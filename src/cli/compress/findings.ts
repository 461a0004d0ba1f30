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

/** How much less error AWQ's modules have than with plain rounding, and how strong their inputs are, by block. */
export async function blockFindings({ engine, journal }: Work): Promise<Pick<CompressionReport, "awq" | "activity">> {
  const gains: CompressionReport["awq"][number][] = [];
  const activity: CompressionReport["activity"][number][] = [];
  for (let layer = 0; await journal.has(`block-${layer}.safetensors`); layer++) {
    const block = await readBlock(engine.platform, journal.path(`block-${layer}.safetensors`), layer);
    const { awq, activity: classes } = block;
    if (Object.keys(classes).length > 0) activity.push({ layer, classes });
    if (!awq) continue;
    const sum = (field: "plainError" | "error") => awq.scales.reduce((total, one) => total + one[field], 0);
    gains.push({ layer, gain: sum("plainError") / sum("error") });
  }
  return { awq: gains, activity };
}

/** Below this share of the original's dependence on the picture a model is said to ignore it. */
const BLIND_SHARE = 0.3;

/** A warning for each stage whose answers hardly change when the picture is blank, where the original's do. */
export function blindWarnings(stages: CompressionReport["stages"]): string[] {
  const own = stages[0]?.figures.answerShift?.value ?? 0;
  return stages.slice(1).flatMap(({ stage, figures }) => {
    const shift = figures.answerShift?.value;
    if (shift === undefined || own === 0 || shift >= BLIND_SHARE * own) return [];
    const change = `answers move by ${shift.toFixed(3)} nats with a blank picture, the original's by ${own.toFixed(3)}`;
    return [`the ${stage} model hardly looks at its picture: ${change}`];
  });
}

/** A warning where SFT found nothing better than where it began: without it a call would look healed and be as it was. */
export function idleHealing({ sft }: CompressionReport["heal"]): string[] {
  if (!sft || sft.step > 0) return [];
  const problem = `its loss on held-out samples never fell below the ${sft.start.toFixed(4)} it began with`;
  return [`SFT kept its starting point: ${problem}; give more samples (--heal-data) or a lower --rate`];
}
