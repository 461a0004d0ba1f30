// Regenerates the outputs that README.md and docs/ show: every block that follows `<!-- output of: COMMAND -->` is
// replaced by what COMMAND prints now. `node scripts/readme.mjs [file ...]`.
import { execSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensure, root } from "./ensure.mjs";

const BLOCK = /(<!-- output of: (.+?) -->\n```[a-z]*\n)([\s\S]*?)(```)/g;

/** Both streams as a terminal shows them, without colours, progress bars and trailing blanks. */
function outputOf(command) {
  console.error(`running ${command} ...`);
  const text = execSync(command, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 64 * 1024 * 1024,
  });
  return text.replace(/[ \t]+$/gm, "").trim();
}

ensure();
const files = process.argv.length > 2 ? process.argv.slice(2) : ["README.md"];
for (const file of files) {
  const path = join(root, file);
  const text = readFileSync(path, "utf8");
  const fresh = text.replace(BLOCK, (_, head, command, _old, tail) => `${head}${outputOf(command)}\n${tail}`);
  if (fresh !== text) writeFileSync(path, fresh);
}
