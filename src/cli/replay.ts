// `nibblemark replay`: a recorded trace of any program through a delay model and a topology. One JSON line an epoch, a summary,
// an HTML timeline.

import { InputError } from "../core/errors.js";
import type { TraceEpoch } from "../core/trace.js";
import { isPageTrace } from "../counters/page-trace.js";
import { parseTrace } from "../counters/trace.js";
import { type CampFit, fitCamp, parseBenchmarks, parseFit } from "../delay/camp.js";
import { type DelayExports, delayModelNamed, openDelayModels, replayEpochs } from "../delay/models.js";
import { parseShares, spread } from "../delay/rows.js";
import { parseHost } from "../placement/calibration.js";
import type { PageMachine } from "../placement/policies-run.js";
import { loadDefaultHost, loadTopology } from "../placement/topology.js";
import { nodePlatform } from "../platform/node.js";
import { pageReplayPage } from "../report/page-replay.js";
import { sectionLines } from "../report/table.js";
import { timelineHtml } from "../report/timeline.js";
import type { Command } from "./command.js";
import { type Parsed, wholeNumber } from "./flags.js";
import { htmlAssets, refuseSameFile } from "./outputs.js";
import { type PageReplay, pageLines, pageSections, replayPages } from "./replay-pages.js";
import { jsonLines, type Replay, sectionsOf, timelineOf } from "./replay-report.js";
import { painter } from "./terminal.js";

const platform = nodePlatform();

async function readFile(flag: string, path: string): Promise<string> {
  try {
    return await platform.readText(path);
  } catch (error) {
    throw new InputError(path, flag, `cannot be read (${(error as Error).message})`, "Give the path of a file.");
  }
}

async function campOf(wasm: DelayExports, path: string | undefined): Promise<CampFit | null> {
  if (path === undefined) return null;
  const text = await readFile("--camp", path);
  return parseFit(path, text) ?? fitCamp(wasm, parseBenchmarks(path, text));
}

async function machineOf(parsed: Parsed) {
  const topology = await loadTopology(platform, parsed.text("topology") ?? "cxl-1hop");
  const profile = parsed.text("host");
  const host = profile ? parseHost(profile, await readFile("--host", profile)) : await loadDefaultHost(platform);
  const threads = wholeNumber("replay", "threads", parsed.text("threads") ?? "1", 1, 4096);
  return { topology, host, threads };
}

async function replay(parsed: Parsed): Promise<Replay> {
  const [source] = parsed.positionals;
  if (!source) throw new InputError("nibblemark replay", "TRACE", "is missing", "Give a trace, see docs/traces.md.");
  const model = delayModelNamed(parsed.text("delay") ?? "traffic");
  const { topology, host, threads } = await machineOf(parsed);
  const trace = parseTrace(source, await readFile("TRACE", source), parsed.on("keep-going"));
  const shares = parseShares(topology, parsed.text("shares"));
  const isKnown = (epoch: TraceEpoch) => epoch.perPool.length > 0;
  const placed = trace.epochs.map((epoch) => ({
    epoch,
    pools: isKnown(epoch) ? spread(source, epoch, topology, shares) : [],
  }));
  const wasm = await openDelayModels(platform);
  const camp = await campOf(wasm, parsed.text("camp"));
  const options = { topology, host, threads, camp: camp?.coefficients ?? null };
  const known = placed.filter(({ epoch }) => isKnown(epoch));
  const solved = replayEpochs(wasm, model, options, known).values();
  const results = placed.map(({ epoch }) => (isKnown(epoch) ? (solved.next().value ?? null) : null));
  return { source, model, topology, host, trace, placed, results, camp };
}

async function writeTimeline(path: string, done: Replay): Promise<void> {
  const title = `Nibblemark: ${done.source} under ${done.topology.name}`;
  const pools = done.topology.pools.map(({ name }) => name);
  await platform.writeWhole(
    path,
    timelineHtml({ title, pools, epochs: timelineOf(done), sections: sectionsOf(done) }, await htmlAssets()),
  );
}

/** A page trace under its policies; null when the trace is of another kind. */
async function pageReplay(parsed: Parsed): Promise<PageReplay | null> {
  const [source] = parsed.positionals;
  const text = source ? await readFile("TRACE", source) : "";
  if (!source || !isPageTrace(text)) {
    const remedy = "Give a page trace, see docs/policies.md.";
    if (parsed.on("policy")) throw new InputError("nibblemark replay", "--policy", "is for page traces", remedy);
    return null;
  }
  const { topology, host, threads } = await machineOf(parsed);
  const wasm = await openDelayModels(platform);
  const { instance } = await WebAssembly.instantiate((await platform.wasm("memory")) as BufferSource as ArrayBuffer);
  const policies = parsed.all("policy");
  const input = { source, text, keepGoing: parsed.on("keep-going"), topology, host, threads, policies };
  return replayPages(wasm, instance.exports as unknown as PageMachine, input);
}

async function printPages(parsed: Parsed, format: string, pages: PageReplay): Promise<number> {
  const lines = parsed.text("export-jsonl");
  if (lines) await platform.writeWhole(lines, pageLines(pages));
  const html = parsed.text("export-html");
  if (html) {
    const title = `Nibblemark: ${pages.source} under ${pages.topology.name}`;
    await platform.writeWhole(html, pageReplayPage(title, pages.runs, pageSections(pages), await htmlAssets()));
  }
  const table = () => pageSections(pages).flatMap((section) => sectionLines(section, painter(parsed)));
  process.stdout.write(format === "jsonl" ? pageLines(pages) : table().join("\n"));
  return 0;
}

async function run(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "jsonl") {
    throw new InputError("nibblemark replay", "--output", `"${format}" is unknown`, "Known: table, jsonl");
  }
  refuseSameFile(parsed, ["export-jsonl", "export-html"]);
  const pages = await pageReplay(parsed);
  if (pages) return printPages(parsed, format, pages);
  const done = await replay(parsed);
  const lines = parsed.text("export-jsonl");
  const html = parsed.text("export-html");
  if (lines) await platform.writeWhole(lines, jsonLines(done));
  if (html) await writeTimeline(html, done);
  if (done.trace.lost.length > 0 && !parsed.on("quiet")) {
    process.stderr.write(`warning: ${done.trace.lost.length} broken lines were left out\n`);
  }
  const table = () =>
    sectionsOf(done)
      .flatMap((section) => sectionLines(section, painter(parsed)))
      .join("\n");
  process.stdout.write(format === "jsonl" ? jsonLines(done) : table());
  return 0;
}

export const replayCommand: Command = {
  name: "replay",
  summary: "Tells how a recorded program would run under a topology: an epoch trace or `perf stat -I -x,` output.",
  usage: "TRACE [flags]",
  examples: [
    "replay trace.jsonl --topology cxl-switch",
    "replay perf.csv --delay stall --shares dram:0.5,cxl0:0.5 --export-html timeline.html",
    'replay trace.jsonl --topology "(1,(2,3));" -o jsonl',
    "replay pages.jsonl --policy first-touch --policy tpp --policy oracle",
  ],
  flags: [
    { name: "topology", value: "TOPOLOGY", help: "a shipped name, a JSON or Newick file, or a Newick tree (cxl-1hop)" },
    { name: "delay", value: "MODEL", help: "traffic, stall, camp, cxlmemsim or cxlmemsim-v1 (traffic)" },
    {
      name: "shares",
      value: "SHARES",
      help: "where the lines of a trace of one memory lie (all in the first far pool)",
    },
    {
      name: "policy",
      value: "POLICY",
      repeat: true,
      help: "of a page trace: first-touch, tpp, oracle, migration=colloid,far-cache=lru:64MiB, ... (docs/policies.md)",
    },
    { name: "threads", value: "N", help: "threads that the traced program ran (1)" },
    { name: "host", value: "FILE", help: "host profile to evaluate on (the frozen default)" },
    {
      name: "camp",
      value: "FILE",
      help: "of this host and device: microbenchmarks to fit camp from, or a fit that calibrate --camp stored",
    },
    { name: "keep-going", help: "leave broken lines out" },
    { name: "output", short: "o", value: "FORMAT", help: "stdout as table or jsonl (an epoch a line)" },
    { name: "export-jsonl", value: "FILE", help: "also write an epoch a line to a file" },
    { name: "export-html", value: "FILE", help: "also write a timeline" },
  ],
  positionals: 1,
  run,
};
