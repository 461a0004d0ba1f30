// `npm run speed [-- NAME ...] [--rounds N] [--node 24]`: our own speed, one file a question. `--node 24` runs the same under
// the Node 24 of .cache/node24, which has relaxed SIMD.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fetchNode24 } from "../scripts/node24.js";
import type { Platform } from "../src/core/ports.js";
import { nodePlatform } from "../src/platform/node.js";
import { epoch } from "./epoch.js";
import { gemv } from "./gemv.js";
import { load } from "./load.js";
import { machineName } from "./machine.js";
import { prefill } from "./prefill.js";

const QUESTIONS: Readonly<Record<string, (platform: Platform, rounds: number) => Promise<void>>> = {
  gemv,
  prefill,
  epoch,
  load,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "151" }, node: { type: "string" } },
});
const names = positionals.length > 0 ? positionals : Object.keys(QUESTIONS);
const unknown = names.filter((name) => !QUESTIONS[name]);
const rounds = Number(values.rounds);
if (unknown.length > 0 || !(rounds >= 1) || (values.node ?? "24") !== "24") {
  console.error(`usage: npm run speed -- [${Object.keys(QUESTIONS).join(" | ")}] [--rounds N] [--node 24]`);
  process.exitCode = 2;
} else if (values.node && !process.version.startsWith("v24.")) {
  const args = [fileURLToPath(import.meta.url), ...names, "--rounds", String(rounds)];
  process.exitCode = spawnSync(fetchNode24(), args, { stdio: "inherit" }).status ?? 1;
} else {
  console.log(machineName());
  for (const name of names) await QUESTIONS[name](nodePlatform(), rounds);
}
