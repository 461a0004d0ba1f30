// Compiles the AssemblyScript targets of asconfig.json to build/*.wasm, two at a time, and only those whose sources
// changed. `node scripts/build-wasm.mjs [target ...]` builds the named ones.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const config = JSON.parse(readFileSync(join(root, "asconfig.json"), "utf8"));

/** Newest change below a folder, in ms. */
function newest(folder) {
  return Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
    }),
  );
}

function isFresh({ entry, outFile }) {
  const out = join(root, outFile);
  if (!existsSync(out)) return false;
  const sources = Math.max(newest(join(root, dirname(entry))), statSync(join(root, "asconfig.json")).mtimeMs);
  return statSync(out).mtimeMs > sources;
}

/** Kernels with vectors are compiled in the order they are written in (asc-keep-order.mjs). */
const keepsOrder = (name) => name.startsWith("kernels.") && name !== "kernels.scalar";

/** asc takes its entry on the command line; all other options come from the target in asconfig.json. */
function compile(name) {
  const asc = join(root, "node_modules", "assemblyscript", "bin", "asc.js");
  const args = [asc, config.targets[name].entry, "--config", "asconfig.json", "--target", name];
  if (keepsOrder(name)) args.push("--transform", "./scripts/asc-keep-order.mjs");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`asc failed for target ${name}`))));
  });
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !config.targets[name]);
if (unknown.length > 0) {
  console.error(`unknown target ${unknown.join(", ")}; asconfig.json has ${Object.keys(config.targets).join(", ")}`);
  process.exit(2);
}
const queue = Object.keys(config.targets).filter((name) =>
  asked.length > 0 ? asked.includes(name) : !isFresh(config.targets[name]),
);
mkdirSync(join(root, "build"), { recursive: true });
async function worker() {
  for (let name = queue.shift(); name; name = queue.shift()) await compile(name);
}
try {
  await Promise.all([worker(), worker()]);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
