// Installs packages that tests and benchmarks compare with into .cache/peers/NAME, never with the project:
// node scripts/peers.mjs NAME ... What is there in the right version is left alone.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./ensure.mjs";

const SYSTEMS = { darwin: "mac", win32: "win" };
const metal = process.platform === "darwin" && process.arch === "arm64" ? "-metal" : "";
const llamaBinary = `${SYSTEMS[process.platform] ?? "linux"}-${process.arch}${metal}`;

/** Exact versions; the first package names what is asked for. Install scripts stay off: what is needed is in the packages. */
const PEERS = {
  "onnxruntime-node": ["onnxruntime-node@1.30.0"],
  "onnxruntime-web": ["onnxruntime-web@1.30.0"],
  // Dawn for Node: not a peer but a platform that tests and WebGPU targets use.
  webgpu: ["webgpu@0.6.2"],
  // Drives Debian's Firefox in tests (WebDriver BiDi).
  "puppeteer-core": ["puppeteer-core@25.16.0"],
  "wllama-2": ["@wllama/wllama@2.4.0"],
  "wllama-3": ["@wllama/wllama@3.8.1"],
  // Only this machine's CPU build: the optional packages of other machines and of CUDA have hundreds of MB.
  "node-llama-cpp": ["node-llama-cpp@3.22.1", `@node-llama-cpp/${llamaBinary}@3.22.1`],
};

/** Whether a package lies in a folder in the version that is asked for. */
function has(folder, wanted) {
  const at = wanted.lastIndexOf("@");
  const path = join(folder, "node_modules", wanted.slice(0, at), "package.json");
  return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).version === wanted.slice(at + 1);
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in PEERS));
if (names.length === 0 || unknown.length > 0) {
  console.error(`node scripts/peers.mjs NAME ...; known are ${Object.keys(PEERS).join(", ")}`);
  process.exit(2);
}
for (const name of names) {
  const folder = join(root, ".cache", "peers", name);
  if (PEERS[name].every((wanted) => has(folder, wanted))) continue;
  console.error(`fetching ${PEERS[name].join(" ")} into .cache/peers/${name} ...`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
  const optional = name === "node-llama-cpp" ? ["--omit=optional"] : [];
  const args = ["install", ...flags, ...optional, ...PEERS[name]];
  const { status, error } = spawnSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) {
    console.error(`npm could not fetch ${name}${error ? `: ${error.message}` : ""}`);
    process.exit(status ?? 1);
  }
}
