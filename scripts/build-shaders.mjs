// Gathers webgpu/*.wgsl into build/webgpu.json, which Node reads and pages fetch: { name: text }.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "webgpu");
const names = readdirSync(folder).filter((name) => name.endsWith(".wgsl"));
const texts = names.sort().map((name) => [name.replace(/\.wgsl$/, ""), readFileSync(join(folder, name), "utf8")]);
mkdirSync(join(root, "build"), { recursive: true });
writeFileSync(join(root, "build", "webgpu.json"), JSON.stringify(Object.fromEntries(texts)));
