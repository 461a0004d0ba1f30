// `npm run build`: WebAssembly, shaders, TypeScript, then the page for browsers and the demo. Steps do nothing where nothing changed.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const steps = [
  ["scripts/build-wasm.mjs"],
  ["scripts/build-shaders.mjs"],
  [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.json"],
  ["scripts/build-page.mjs"],
  ["scripts/build-demo.mjs"],
];
for (const step of steps) {
  const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}
