// Bundles the page that the command line opens in a browser (src/cli/page) from build/src to build/page with Vite, and only
// when one of the modules inside has changed. A node: module that found its way in stops the build.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, "build", "src", "cli", "page", "main.js");
const outDir = join(root, "build", "page");
/** The modules that the last bundle was made of. */
const inputs = join(outDir, "inputs.json");

function isFresh() {
  if (!existsSync(inputs)) return false;
  const { mtimeMs } = statSync(inputs);
  const files = [...JSON.parse(readFileSync(inputs, "utf8")), "scripts/build-page.mjs", "package-lock.json"];
  return files.every((file) => existsSync(join(root, file)) && statSync(join(root, file)).mtimeMs <= mtimeMs);
}

const seen = new Set();
/** Notes every module of page and workers; none may be of Node. */
const watch = () => ({
  name: "note-modules",
  enforce: "pre",
  resolveId(id, importer) {
    if (id.startsWith("node:")) throw new Error(`${importer} imports ${id}, which no browser has`);
    return null;
  },
  moduleParsed({ id }) {
    if (existsSync(id)) seen.add(relative(root, id));
  },
});

if (!isFresh()) {
  const { build } = await import("vite");
  rmSync(outDir, { recursive: true, force: true });
  await build({
    ...{ root, configFile: false, publicDir: false, base: "./", logLevel: "warn", plugins: [watch()] },
    worker: { format: "es", plugins: () => [watch()] },
    build: {
      ...{ outDir, emptyOutDir: true, target: "es2022", modulePreload: false, reportCompressedSize: false },
      rolldownOptions: { input: { main: entry }, output: { entryFileNames: "[name].js" } },
    },
  });
  writeFileSync(inputs, JSON.stringify([...seen].sort()));
}
