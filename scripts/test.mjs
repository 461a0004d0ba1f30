// `npm test`: installs, builds, then runs every test file in a process of its own, two at a time, and closes with
// `N passed, N failed`. `--long` runs tests/long instead, `--install` lets tests install Debian packages when root,
// other arguments select files by a part of their path.
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { ensure, root } from "./ensure.mjs";

const flags = new Set(process.argv.slice(2).filter((arg) => arg.startsWith("--")));
const parts = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const unknown = [...flags].filter((flag) => flag !== "--long" && flag !== "--install");
if (unknown.length > 0) {
  console.error(`unknown flag ${unknown.join(" ")}; npm test knows --long, --install and parts of file names`);
  process.exit(2);
}
const long = flags.has("--long");
/** uvu has no time limit of its own: a hung file is ended and counted as failed. */
const limitMs = (long ? 60 : 6) * 60_000;

/** Test sources below tests/, so that stale files in build/ are never run. */
function testFiles(folder = join(root, "tests")) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith(".test.ts") ? [relative(root, path)] : [];
    })
    .filter((file) => file.startsWith(join("tests", "long")) === long)
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort();
}

/** Runs one file; uvu's own closing lines tell how many tests it held. */
function run(file) {
  const started = Date.now();
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      FORCE_COLOR: "0",
      NO_COLOR: "1",
      NIBBLEMARK_INSTALL: flags.has("--install") ? "1" : "",
    };
    const child = spawn(process.execPath, [join("build", file.replace(/\.ts$/, ".js"))], { cwd: root, env });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ file, output, ...count(output, code), seconds: (Date.now() - started) / 1000 });
    });
  });
}

/** A file that dies before uvu's summary counts as one failure: silence is no success. */
function count(output, code) {
  const match = /Total:\s+(\d+)\s+Passed:\s+(\d+)\s+Skipped:\s+(\d+)/.exec(output);
  if (!match) return { passed: 0, failed: 1, skipped: 0 };
  const [total, passed, skipped] = match.slice(1).map(Number);
  const failed = total - passed - skipped;
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

function report({ file, output, passed, failed, skipped, seconds }) {
  const skips = output.split("\n").filter((line) => line.startsWith("skipped:"));
  const mark = failed > 0 ? "FAIL" : "ok  ";
  console.log(`${mark} ${file}  ${passed} passed${skipped ? `, ${skipped} skipped` : ""}  ${seconds.toFixed(1)} s`);
  for (const line of skips) console.log(`     ${line}`);
  if (failed > 0) console.log(output);
}

ensure();
// The addon where it can be built; its tests say so where it cannot.
spawnSync(process.execPath, [join(root, "scripts", "build-native.mjs"), "--if-possible"], { stdio: "inherit" });
const queue = testFiles();
if (queue.length === 0) {
  console.error(`no test file matches ${parts.join(" ")}`);
  process.exit(2);
}
const total = { passed: 0, failed: 0, skipped: 0 };
async function worker() {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const result = await run(file);
    report(result);
    for (const key of Object.keys(total)) total[key] += result[key];
  }
}
// Long tests train and measure: one at a time. The others mostly wait for compilers and child processes.
const workers = long ? 1 : Math.max(2, availableParallelism());
await Promise.all(Array.from({ length: workers }, worker));
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed > 0 ? 1 : 0);
