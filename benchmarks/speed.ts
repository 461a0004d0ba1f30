// `npm run speed [-- NAME ...] [--rounds N] [--node 24]`: our own speed, one file a question. `--node 24` runs the same under
// the Node 24 of .cache/node24, which has relaxed SIMD; `--only PART` one part of a question (watch). `npm run speed -- peers` sets it beside other packages.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fetchNode24 } from "../scripts/node24.js";
import type { Platform } from "../src/core/ports.js";
import { nodePlatform } from "../src/platform/node.js";
import { compress } from "./compress.js";
import { epoch } from "./epoch.js";
import { gemv } from "./gemv.js";
import { load } from "./load.js";
import { machineName } from "./machine.js";
import { peers } from "./peers/main.js";
import { prefill } from "./prefill.js";
import { threads } from "./threads.js";
import { watch } from "./watch.js";
import { webgpu } from "./webgpu.js";
import { zeroPoints } from "./zero-points.js";

const QUESTIONS: Readonly<Record<string, (platform: Platform, rounds: number, only?: string) => Promise<void>>> = {
  gemv,
  prefill,
  "zero-points": zeroPoints,
  epoch,
  load,
  threads,
  watch,
  compress,
  webgpu,
};
/** Takes minutes: only when it is named. */
const LONG = ["compress"];

const OPTIONS = {
  rounds: { type: "string", default: "151" },
  node: { type: "string" },
  only: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Null for a flag that is unknown or lacks its value. */
function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch {
    return null;
  }
}

/** Gives the exit code back. */
function usage(code: number): number {
  const known = Object.keys(QUESTIONS).join(" | ");
  const lines = [
    `usage: npm run speed -- [${known}] [--rounds N] [--node 24] [--only PART]`,
    "       npm run speed -- peers --help",
  ];
  (code === 0 ? console.log : console.error)(lines.join("\n"));
  return code;
}

/** Our own questions; `peers` has flags of its own. */
async function questions(args: readonly string[]): Promise<number> {
  const parsed = parse(args);
  if (!parsed) return usage(2);
  const { values, positionals } = parsed;
  if (values.help) return usage(0);
  const names = positionals.length > 0 ? positionals : Object.keys(QUESTIONS).filter((name) => !LONG.includes(name));
  const unknown = names.filter((name) => !QUESTIONS[name]);
  const rounds = Number(values.rounds);
  if (unknown.length > 0 || !(rounds >= 1) || (values.node ?? "24") !== "24") return usage(2);
  if (values.node && !process.version.startsWith("v24.")) {
    const again = [
      fileURLToPath(import.meta.url),
      ...names,
      "--rounds",
      String(rounds),
      ...(values.only ? ["--only", values.only] : []),
    ];
    return spawnSync(fetchNode24(), again, { stdio: "inherit" }).status ?? 1;
  }
  console.log(machineName());
  for (const name of names) await QUESTIONS[name](nodePlatform(), rounds, values.only);
  return 0;
}

const [first, ...rest] = process.argv.slice(2);
process.exitCode = first === "peers" ? await peers(rest) : await questions(process.argv.slice(2));
