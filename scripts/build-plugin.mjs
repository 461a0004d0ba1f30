// `npm run build:plugin`: the plugin for QEMU user mode (native/emulated) that counts for `exec --source emulated`, by cc alone, into
// build/native/prebuilds/PLATFORM-ARCH, one file for each generation of QEMU's plugin interface. `--if-possible`: without a compiler
// it says so and ends well.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "native", "emulated");
const target = join(root, "build", "native", "prebuilds", `${process.platform}-${process.arch}`);
const optional = process.argv.includes("--if-possible");
/** SSE 4.1 is in every 64-bit x86 since 2009. */
const machine = process.arch === "x64" ? ["-march=x86-64-v2"] : [];

function giveUp(reason) {
  console.error(`the emulated counter source was not built: ${reason}; everything else works`);
  process.exit(optional ? 0 : 1);
}

if (process.platform !== "linux") giveUp("QEMU user mode runs on Linux only");
const files = readdirSync(source).map((name) => join(source, name));
const newest = Math.max(...[...files, fileURLToPath(import.meta.url)].map((path) => statSync(path).mtimeMs));
const compiler = process.env.CC ?? "cc";
for (const api of [1, 2]) {
  const plugin = join(target, `nibblemark-emulated-${api}.so`);
  if (existsSync(plugin) && statSync(plugin).mtimeMs > newest) continue;
  mkdirSync(target, { recursive: true });
  const flags = [
    "-std=gnu11",
    "-O3",
    ...machine,
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
  ];
  const sources = files.filter((path) => path.endsWith(".c"));
  const fresh = `${plugin}.${process.pid}`;
  const built = spawnSync(compiler, [...flags, `-DPLUGIN_API=${api}`, "-o", fresh, ...sources], { encoding: "utf8" });
  if (built.error) giveUp(`there is no C compiler (${compiler}; Debian: gcc libc6-dev)`);
  if (built.status !== 0) giveUp(`${compiler} failed:\n${built.stderr}`);
  renameSync(fresh, plugin);
}
