// `nibblemark calibrate`: measures this host's memory and cores and stores the profile that predictions use.

import { homedir } from "node:os";
import { join } from "node:path";
import { nodePlatform } from "../platform/node.js";
import { calibrationSections } from "../report/calibration.js";
import { calibrationPage, calibrationPlot } from "../report/calibration-page.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";
import { converse } from "./conversation.js";
import type { Parsed } from "./flags.js";
import { htmlAssets } from "./outputs.js";
import { painter, progressBar } from "./terminal.js";

/** Where `calibrate` stores a profile when --out is not given. */
function cachePath(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "nibblemark", "host.json");
}

async function run(parsed: Parsed): Promise<number> {
  const out = parsed.text("out") ?? cachePath();
  const page = parsed.text("export-html") ?? out.replace(/(\.json)?$/, ".html");
  const event = await converse({ kind: "calibrate" }, progressBar(parsed.on("quiet")));
  if (event.kind !== "calibrated") throw new Error(`unexpected answer ${event.kind}`);
  const { calibration } = event;
  const { writeWhole } = nodePlatform();
  const json = `${JSON.stringify(calibration, null, 2)}\n`;
  await writeWhole(out, json);
  await writeWhole(page, calibrationPage(calibration, await htmlAssets()));
  if (parsed.on("json")) process.stdout.write(json);
  else {
    const paint = painter(parsed);
    const sections = calibrationSections(calibration, parsed.on("detail"));
    const lines = sections.flatMap((section) => sectionLines(section, paint));
    process.stdout.write(`${[...calibrationPlot(calibration), ...lines].join("\n")}`);
  }
  if (!parsed.on("quiet")) {
    process.stderr.write(`profile: ${out}\nplots: ${page}\nuse it: nibblemark bench --host ${out}\n`);
  }
  return 0;
}

export const calibrateCommand: Command = {
  name: "calibrate",
  summary: "Measures this host's caches, memory latency, bandwidth and lines in flight, and stores a host profile.",
  usage: "[flags]",
  examples: ["calibrate", "calibrate --out mine.json", "calibrate --detail --export-html host.html"],
  flags: [
    {
      name: "out",
      value: "FILE",
      help: "where to store the profile (default: nibblemark/host.json in the user's cache)",
    },
    { name: "export-html", value: "FILE", help: "where to write the page with plots (default: beside the profile)" },
    { name: "detail", help: "print every table" },
    { name: "json", help: "print the stored JSON instead of tables" },
  ],
  positionals: 0,
  run,
};
