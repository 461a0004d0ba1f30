// `nibblemark calibrate`: measures this host's memory and cores and stores the profile that predictions use.

import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../core/errors.js";
import { findChromium, startChromium } from "../hosts/chromium.js";
import { startPageCoordinator } from "../hosts/page.js";
import { nodePlatform } from "../platform/node.js";
import { calibrationSections } from "../report/calibration.js";
import { calibrationPage, calibrationPlot } from "../report/calibration-page.js";
import { sectionLines } from "../report/table.js";
import { calibrateCamp } from "./calibrate-camp.js";
import type { Command } from "./command.js";
import { converse, type Start } from "./conversation.js";
import type { Parsed } from "./flags.js";
import { htmlAssets } from "./outputs.js";
import { captureEnvironment } from "./parts/environment.js";
import { type ClientMessage, type CoordinatorEvent, type FinalEvent, isFinal } from "./protocol.js";
import { painter, progressBar } from "./terminal.js";

/** What can measure: this process, an installed Chromium, or whatever browser opens the address. */
const HOSTS = ["node", "chromium", "page"];

/** Where `calibrate` stores a profile when --out is not given. */
function cachePath(host: string): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "nibblemark", host === "node" ? "host.json" : `host-${host}.json`);
}

/** Starts the coordinator in a page; undefined: in this process. Throws when there is no such host. */
function startOf(host: string): Start | undefined {
  if (host === "node") return undefined;
  if (!HOSTS.includes(host)) {
    throw new InputError("nibblemark calibrate", "--host", `"${host}" is unknown`, `Use ${HOSTS.join(", ")}`);
  }
  const program = host === "chromium" ? findChromium() : null;
  const { packagePath } = nodePlatform();
  const folders = { page: packagePath("build/page"), build: packagePath("build"), profiles: packagePath("profiles") };
  const onAddress = (url: string) =>
    void (program ?? process.stderr.write(`open in a browser of this machine: ${url}\n`));
  const open = program ? (url: string) => startChromium(program, url) : null;
  return (request, onMessage) =>
    startPageCoordinator<ClientMessage, CoordinatorEvent, FinalEvent>(
      { folders, open, onAddress },
      request,
      onMessage,
      isFinal,
    );
}

async function run(parsed: Parsed): Promise<number> {
  const camp = parsed.text("camp");
  if (camp !== undefined) return calibrateCamp(parsed, camp);
  const host = parsed.text("host") ?? "node";
  const start = startOf(host);
  const out = parsed.text("out") ?? cachePath(host);
  const page = parsed.text("export-html") ?? out.replace(/(\.json)?$/, ".html");
  const request = { kind: "calibrate", environment: captureEnvironment() } as const;
  const event = await converse(request, progressBar(parsed.on("quiet")), undefined, start);
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
  examples: [
    "calibrate",
    "calibrate --out mine.json",
    "calibrate --detail --export-html host.html",
    "calibrate --host chromium",
    "calibrate --camp microbenchmarks.jsonl --out camp.json",
  ],
  flags: [
    {
      name: "host",
      value: "NAME",
      help: "what measures: node (default), chromium (starts an installed one), page (any browser that opens the address)",
    },
    {
      name: "out",
      value: "FILE",
      help: "where to store the profile (default: nibblemark/host.json or host-NAME.json in the user's cache)",
    },
    { name: "export-html", value: "FILE", help: "where to write the page with plots (default: beside the profile)" },
    {
      name: "camp",
      value: "FILE",
      help: "measure nothing: fit CAMP's coefficients from 16 or more microbenchmarks (docs/delay-models.md)",
    },
    { name: "detail", help: "print every table" },
    { name: "json", help: "print the stored JSON instead of tables" },
  ],
  positionals: 0,
  run,
};
