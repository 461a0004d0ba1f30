// `npm run speed -- peers`: our products and a whole model beside other packages, interleaved, and the table of bars.
// Samples add up over calls, so that short quiet slices are enough.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CaseData, caseData } from "./analysis.js";
import { CASES, type Case, CONTENDERS } from "./case.js";
import { ROOT } from "./folders.js";
import { isQuiet } from "./load.js";
import { buildHash, clear, machineText, readLines } from "./record.js";
import { runCase } from "./rounds.js";
import { barRows, barTable, caseTable } from "./tables.js";

const HELP = `usage: npm run speed -- peers [flags]

Times nibblemark beside onnxruntime-web, onnxruntime-node, @wllama/wllama 2.4 and 3.8 and node-llama-cpp, each in a process
of its own, in turn, round by round. Generated weights and samples lie in .cache/peers; samples of earlier calls with the
same WebAssembly builds are added to.

  --install        fetch the peers into .cache/peers first (pinned versions, about 550 MB; never into the project)
  --only TEXT      cases whose name holds TEXT, several with commas; --list names them
  --rounds N       quiet rounds to have of each case in the end, earlier ones counted (default 15)
  --seconds N      stop after about so many seconds (default 3600)
  --patience N     seconds to wait for a quiet machine before each round (default 5)
  --fresh          forget earlier samples
  --report         no measuring: the tables of what was recorded
  --json FILE      the bars and every figure as JSON
  --doc            write the tables into docs/performance.md
  --list           names of the cases

examples:
  npm run speed -- peers --install --rounds 5
  npm run speed -- peers --only m1-4096x4096-g32 --seconds 200
  npm run speed -- peers --report --json peers.json`;

const FLAGS = {
  install: { type: "boolean" },
  only: { type: "string" },
  rounds: { type: "string", default: "15" },
  seconds: { type: "string", default: "3600" },
  patience: { type: "string", default: "5" },
  fresh: { type: "boolean" },
  report: { type: "boolean" },
  json: { type: "string" },
  doc: { type: "boolean" },
  list: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** Runs the command; its exit code. */
export async function peers(args: readonly string[]): Promise<number> {
  let flags: ReturnType<typeof parse>;
  try {
    flags = parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (flags.help) return say(HELP);
  if (flags.list) return say(CASES.map(({ id }) => id).join("\n"));
  const chosen = CASES.filter(({ id }) => flags.only.length === 0 || flags.only.some((part) => id.includes(part)));
  if (chosen.length === 0) return usage(`no case holds ${flags.only.join(" or ")}; --list names them`);
  if (flags.install && !install()) return 3;
  if (flags.fresh) clear();
  const build = buildHash();
  if (!flags.report) await measure(chosen, build, flags);
  const lines = readLines(build);
  const data = new Map(chosen.map((task) => [task.id, caseData(task, lines)]));
  report(data, flags);
  return 0;
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  const number = (name: "rounds" | "seconds" | "patience") => {
    const value = Number(values[name]);
    if (!(value >= 0)) throw new Error(`--${name} ${values[name]} is not a number from 0 on`);
    return value;
  };
  const only = values.only?.split(",") ?? [];
  return { ...values, only, rounds: number("rounds"), seconds: number("seconds"), patience: number("patience") };
}

type Flags = ReturnType<typeof parse>;

function say(text: string): number {
  console.log(text);
  return 0;
}

function usage(problem: string): number {
  console.error(problem);
  return 2;
}

function install(): boolean {
  const names = CONTENDERS.filter((name) => name !== "nibblemark");
  const { status } = spawnSync(process.execPath, [join(ROOT, "scripts", "peers.mjs"), ...names], { stdio: "inherit" });
  return status === 0;
}

async function measure(chosen: readonly Case[], build: string, { rounds, seconds, patience }: Flags): Promise<void> {
  const until = Date.now() + seconds * 1000;
  for (const task of chosen) {
    const done = caseData(task, readLines(build)).rounds.filter(({ load }) => isQuiet(load)).length;
    if (done >= rounds || Date.now() >= until) continue;
    console.error(`${task.id}: ${done} of ${rounds} quiet rounds are there ...`);
    const limits = { rounds: rounds - done, until, patienceMs: patience * 1000, done };
    const added = await runCase(task, build, limits);
    console.error(`${task.id}: ${added} quiet rounds added`);
  }
}

function report(data: ReadonlyMap<string, CaseData>, { json, doc }: Flags): void {
  const rows = barRows(data);
  const measured = [...data.values()].filter(({ rounds }) => rounds.length > 0);
  const tables = [barTable(rows), ...measured.map(caseTable)].join("\n\n");
  const openings = measured.flatMap(({ opening }) => (opening ? [opening] : []));
  console.log(`${machineText()}; WebAssembly builds ${buildHash()}\n\n${tables}`);
  if (json) {
    const cases = measured.map(({ task, rounds }) => ({ ...task, rounds }));
    writeFileSync(json, `${JSON.stringify({ schemaVersion: 1, openings, bars: rows, cases }, null, 1)}\n`);
  }
  if (doc) writeDoc(tables);
}

/** Replaces what stands between the two marks. */
function writeDoc(tables: string): void {
  const path = join(ROOT, "docs", "performance.md");
  const [begin, end] = ["<!-- peers: begin -->", "<!-- peers: end -->"];
  const text = readFileSync(path, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} lacks ${begin} and ${end}`);
  const head = `Machine: ${machineText()}; ${new Date().toISOString().slice(0, 10)}; builds ${buildHash()}.`;
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n${head}\n\n${tables}\n${text.slice(to)}`);
}
