// A sweep's lines by topology, and which of them nothing else beats in size, quality and speed.

import type { SweepFailure, SweepLine } from "../core/sweep.js";
import { ABSENT, bytesText, digits } from "./format.js";
import type { Chart } from "./html-client.js";
import { SERIES_COLORS } from "./html-style.js";
import { left, right, type Section } from "./section.js";

/** Size against divergence under one topology: what nothing beats (in speed too) beside the rest; unmeasured lines are left out. */
export function sweepChart(topology: string, lines: readonly SweepLine[], front: readonly number[]): Chart {
  const shown = lines
    .map(({ weightBytes, kl }, i) => ({ mib: weightBytes / 2 ** 20, kl, isFront: front.includes(i) }))
    .filter(({ kl }) => kl !== null)
    .sort((a, b) => a.mib - b.mib);
  const y = (isFront: boolean) => shown.map((point) => (point.isFront === isFront ? point.kl : null));
  return {
    name: `size and divergence under ${topology}`,
    ...{ xLabel: "MiB", yLabel: "KL", scattered: true, x: shown.map(({ mib }) => mib) },
    series: [
      { label: "on the front", color: SERIES_COLORS[0] as string, y: y(true) },
      { label: "beaten", color: SERIES_COLORS[1] as string, y: y(false) },
    ],
  };
}

/**
 * @param front indices of the lines that none beats
 * @param failures cells that could not be made
 */
export function sweepSection(
  topology: string,
  lines: readonly SweepLine[],
  front: readonly number[],
  failures: readonly SweepFailure[] = [],
): Section {
  const rows = lines.map((line, i) => [
    front.includes(i) ? "*" : "",
    String(line.prune),
    line.heal,
    line.quant,
    line.placement,
    bytesText(line.weightBytes),
    ...[line.kl, line.klText, line.klAnswer].map((value) => (value === null ? ABSENT : value.toFixed(4))),
    digits(line.tokensPerSecond),
  ]);
  const columns = [
    ...[left("front"), right("removed"), left("healing"), left("quantization"), left("placement", "default")],
    ...[right("size"), right("KL"), right("KL text", ABSENT), right("KL answers", ABSENT), right("t/s (modelled)")],
  ];
  const notes = [
    "*: no other line is as small, as near to the original and as fast. KL in nats, the larger of text and answers.",
    ...failures.map(({ prune, heal, quant, placement, failed }) => {
      return `failed: ${prune} removed, ${heal}, ${quant}, placement ${placement}: ${failed}`;
    }),
  ];
  return { title: `Under ${topology}`, columns, rows, notes };
}
