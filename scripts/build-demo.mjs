// Bundles the demo page (demo/) to build/site with Vite, writes the list of files that it needs, and puts the list into its
// service worker. Does nothing when none of its inputs has changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outDir = join(root, "build", "site");
/** The modules that the last bundle was made of. */
const inputs = join(outDir, "inputs.json");
const MODEL = "models/nibblemark-llava-2m";
const OWN = ["scripts/build-demo.mjs", "package-lock.json", "package.json", "demo/index.html", "demo/style.css"];

/** Files below a folder, relative to `from`, with forward slashes. */
function filesBelow(folder, from) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path, from) : [relative(from, path).replaceAll("\\", "/")];
    })
    .sort();
}

/** What the page fetches of the package: every build of the kernels, the delay model, profiles, the model and its samples. */
function packageFiles() {
  const wasm = readdirSync(join(root, "build")).filter((name) => /^(kernels\..*|epoch|memory)\.wasm$/.test(name));
  const model = readdirSync(join(root, MODEL)).filter((name) =>
    /^(model\.safetensors|(?!measured).*\.json)$/.test(name),
  );
  const profiles = ["devices", "topologies"].flatMap((name) => filesBelow(join(root, "profiles", name), root));
  return [
    ...wasm.map((name) => `build/${name}`),
    "profiles/host-default.json",
    "profiles/host-gpu.json",
    ...profiles,
    ...model.map((name) => `${MODEL}/${name}`),
    ...filesBelow(join(root, MODEL, "samples"), root),
  ].sort();
}

function isFresh() {
  if (!existsSync(inputs)) return false;
  const { mtimeMs } = statSync(inputs);
  const files = [...JSON.parse(readFileSync(inputs, "utf8")), ...OWN, ...packageFiles()];
  return files.every((file) => existsSync(join(root, file)) && statSync(join(root, file)).mtimeMs <= mtimeMs);
}

const seen = new Set();
/** Notes every module of page and workers; none may be of Node. Imports name compiled files, the sources are TypeScript. */
const watch = () => ({
  name: "note-modules",
  enforce: "pre",
  resolveId(id, importer) {
    if (id.startsWith("node:")) throw new Error(`${importer} imports ${id}, which no browser has`);
    return null;
  },
  moduleParsed({ id }) {
    const file = id.replace(/\?.*$/, "");
    if (existsSync(file)) seen.add(relative(root, file));
  },
});

async function bundle() {
  const { build } = await import("vite");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  rmSync(outDir, { recursive: true, force: true });
  await build({
    ...{ root: join(root, "demo"), configFile: false, publicDir: false, base: "./", logLevel: "warn" },
    define: { __VERSION__: JSON.stringify(version) },
    plugins: [watch()],
    worker: { format: "es", plugins: () => [watch()] },
    build: {
      ...{ outDir, emptyOutDir: true, target: "es2022", modulePreload: false, reportCompressedSize: false },
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: { main: join(root, "demo", "index.html"), sw: join(root, "demo", "src", "sw.ts") },
        output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
      },
    },
  });
}

/** The list of files into the service worker; its version is what they hold. */
function listFiles() {
  const own = filesBelow(outDir, outDir).filter((name) => name !== "sw.js");
  const files = [...own, ...packageFiles()];
  const hash = createHash("sha256");
  for (const name of own) hash.update(name).update(readFileSync(join(outDir, name)));
  for (const name of packageFiles()) hash.update(name).update(readFileSync(join(root, name)));
  const worker = join(outDir, "sw.js");
  const text = readFileSync(worker, "utf8");
  const list = JSON.stringify({ version: hash.digest("hex").slice(0, 16), files });
  if (!text.includes("__OFFLINE__")) throw new Error("the service worker has no place for its list");
  writeFileSync(worker, `const __OFFLINE__=${list};${text}`);
  writeFileSync(join(outDir, "offline.json"), JSON.stringify(files));
}

if (!isFresh()) {
  await bundle();
  listFiles();
  writeFileSync(inputs, JSON.stringify([...seen].sort()));
}
