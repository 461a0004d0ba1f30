// Installs a peer that tests compare with into .cache/peers/NAME, never with the project: node scripts/peers.mjs NAME.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./ensure.mjs";

/** Exact versions. Install scripts stay off: what is needed is in the packages. */
const PEERS = { "onnxruntime-node": "1.20.1" };

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in PEERS));
if (names.length === 0 || unknown.length > 0) {
  console.error(`node scripts/peers.mjs NAME; known are ${Object.keys(PEERS).join(", ")}`);
  process.exit(2);
}
for (const name of names) {
  const folder = join(root, ".cache", "peers", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", `${name}@${PEERS[name]}`];
  const { status } = spawnSync("npm", args, { cwd: folder, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
