// A whole model in one memory: what lies in it, how long each phase took, and the peak of the process beside half precision.

import type { FitRun } from "../core/fit-run.js";
import { bytesText, digits, percentText, timeText } from "./format.js";
import { left, right, type Section } from "./section.js";

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Share of half precision that the process saved at its peak; null where the peak is unknown. */
export function savedShare({ peakBytes, halfBytes }: Pick<FitRun, "peakBytes" | "halfBytes">): number | null {
  return peakBytes === null ? null : 1 - peakBytes / halfBytes;
}

export function fitRunSections(run: FitRun): Section[] {
  return [memorySection(run), timeSection(run)];
}

function memorySection(run: FitRun): Section {
  const { shape, layers, allLayers, parts, memoryBytes, memoryPages, peakBytes, halfBytes, budgetBytes } = run;
  const saved = savedShare(run);
  const rows = [
    ...parts.map(({ part, form, bytes }) => [part, form, bytesText(bytes)]),
    ["the one linear memory", `${memoryPages} pages of at most 65535`, bytesText(memoryBytes)],
    ...(peakBytes === null ? [] : [["peak of the process", "resident", bytesText(peakBytes)]]),
    [`${allLayers} layers in half precision`, "f16, weights alone", bytesText(halfBytes)],
  ];
  const within = peakBytes !== null && peakBytes <= budgetBytes ? "within" : "above";
  const notes = [
    "Synthetic weights: speed and memory only, nothing of quality.",
    ...(saved === null || peakBytes === null
      ? []
      : [
          `The peak is ${within} the budget of ${bytesText(budgetBytes)}, ${percentText(saved)} less than the f16 weights of the unpruned model.`,
        ]),
  ];
  const title = `${shape}, ${layers} of ${allLayers} layers, in ${bytesText(budgetBytes)}`;
  return { title, columns: [left("what"), left("form"), right("size")], rows, notes };
}

function timeSection(run: FitRun): Section {
  const { imageTokens, textTokens, decodeTokens, visionNs, prefillNs, decodeNs, loadNs, finiteLogits, target } = run;
  const prompt = imageTokens + textTokens;
  const rate = (count: number, ns: number) => `${digits(count / (ns / 1e9))} t/s`;
  const [vision, prefill, decode] = [median(visionNs), median(prefillNs), median(decodeNs)];
  return {
    title: `On ${target}`,
    columns: [left("phase"), right("tokens"), right("time"), right("speed")],
    rows: [
      ["making weights", "", timeText(loadNs), ""],
      ["vision and projector", String(imageTokens), timeText(vision), rate(imageTokens, vision)],
      [`prefill (${imageTokens} image, ${textTokens} text)`, String(prompt), timeText(prefill), rate(prompt, prefill)],
      ["decode", String(decodeTokens), timeText(decode), rate(decodeTokens, decode)],
    ],
    notes: [`All ${finiteLogits} logits that were looked at are finite.`],
  };
}
