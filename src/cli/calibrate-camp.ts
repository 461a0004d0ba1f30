// `calibrate --camp FILE`: CAMP's coefficients from microbenchmarks that were measured on both memories of one host and device,
// with each benchmark's error under a fit without it.

import { type CampFit, fitCamp, parseBenchmarks } from "../delay/camp.js";
import { openDelayModels } from "../delay/models.js";
import { nodePlatform } from "../platform/node.js";
import { digits } from "../report/format.js";
import { left, right, type Section } from "../report/section.js";
import { sectionLines } from "../report/table.js";
import type { Parsed } from "./flags.js";
import { painter } from "./terminal.js";

const percent = (slowdown: number) => `${(100 * slowdown).toFixed(1)} %`;

function coefficients({ coefficients: found, benchmarks, leaveOneOut }: CampFit): Section {
  const { mean, worst, worstName } = leaveOneOut;
  return {
    title: `CAMP fitted to ${benchmarks} microbenchmarks`,
    columns: [left("coefficient"), right("value")],
    rows: Object.entries(found).map(([name, value]) => [name, digits(value)]),
    notes: [
      `Left out one by one: mean error ${(100 * mean).toFixed(1)} percentage points, worst ${(100 * worst).toFixed(1)} (${worstName}).`,
      "They hold for the host and the device that the file was measured on.",
    ],
  };
}

function leftOut({ each }: CampFit): Section {
  const rows = each.map(({ name, measured, predicted }) => [
    name,
    percent(measured),
    percent(predicted),
    (100 * (predicted - measured)).toFixed(1),
  ]);
  const columns = [
    left("benchmark"),
    right("slowdown measured"),
    right("predicted without it"),
    right("error, points"),
  ];
  return { title: "Leave one out", columns, rows, notes: [] };
}

/** Fits, prints, and stores the fit when --out is given. Throws InputError for a file that is too short or broken. */
export async function calibrateCamp(parsed: Parsed, path: string): Promise<number> {
  const platform = nodePlatform();
  const benchmarks = parseBenchmarks(path, await platform.readText(path));
  const fit = fitCamp(await openDelayModels(platform), benchmarks);
  const json = `${JSON.stringify({ schemaVersion: 1, kind: "camp-fit", ...fit }, null, 2)}\n`;
  const out = parsed.text("out");
  if (out) await platform.writeWhole(out, json);
  const table = () => [coefficients(fit), leftOut(fit)].flatMap((section) => sectionLines(section, painter(parsed)));
  process.stdout.write(parsed.on("json") ? json : table().join("\n"));
  if (out && !parsed.on("quiet")) process.stderr.write(`use it: nibblemark replay TRACE --delay camp --camp ${out}\n`);
  return 0;
}
