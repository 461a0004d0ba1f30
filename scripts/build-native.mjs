// `npm run build:native`: the addon and its watchdog, by node-gyp, into build/native/prebuilds/PLATFORM-ARCH, where node-gyp-build
// finds them. The headers of this Node are used, so nothing is downloaded. `--if-possible`: without a compiler or headers it
// says what is missing and ends well, for everything but exec and attach works without the addon.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const native = join(root, "native");
const target = join(root, "build", "native", "prebuilds", `${process.platform}-${process.arch}`);
const optional = process.argv.includes("--if-possible");

/** Says why nothing is built. */
function giveUp(reason) {
  console.error(`the addon was not built: ${reason}; exec and attach are unavailable, everything else works`);
  process.exit(optional ? 0 : 1);
}

function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => name !== "build" && name !== "test")
      .map((entry) => {
        const path = join(folder, entry.name);
        return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
      }),
  );
}

const addon = join(target, "nibblemark.napi.node");
if (existsSync(addon) && statSync(addon).mtimeMs > newest(native)) process.exit(0);

/** Headers lie beside the program in every install of Node. */
const nodeDir = dirname(dirname(process.execPath));
if (!existsSync(join(nodeDir, "include", "node", "node_api.h"))) giveUp("Node's headers (include/node) are missing");
for (const [tool, remedy] of [
  ["c++", "a C++ compiler (Debian: g++)"],
  ["make", "make"],
  ["python3", "python3"],
]) {
  if (spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0) giveUp(`${remedy} is missing`);
}
const gyp = join(root, "node_modules", "node-gyp", "bin", "node-gyp.js");
if (!existsSync(gyp)) giveUp("node-gyp is missing (npm ci installs it)");
const args = [gyp, "rebuild", "--directory", native, `--nodedir=${nodeDir}`, "--silent"];
const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
if (status !== 0) {
  console.error(`${stdout}\n${stderr}`);
  giveUp("node-gyp failed, see above");
}
mkdirSync(target, { recursive: true });
for (const [from, to] of [
  ["nibblemark-watchdog", "nibblemark-watchdog"],
  ["nibblemark.node", "nibblemark.napi.node"],
]) {
  const built = join(native, "build", "Release", from);
  if (!existsSync(built)) continue;
  // A new file beside the old one: a process that runs the old one keeps it.
  copyFileSync(built, join(target, `${to}.new`));
  renameSync(join(target, `${to}.new`), join(target, to));
}
rmSync(join(native, "build"), { recursive: true, force: true });
