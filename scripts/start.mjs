// `npm start`: everything from a fresh clone to the default benchmark. Arguments go to `nibblemark`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensure, root } from "./ensure.mjs";

ensure();
const args = process.argv.length > 2 ? process.argv.slice(2) : ["bench"];
const { status, signal } = spawnSync(process.execPath, [join(root, "build", "src", "cli", "main.js"), ...args], {
  stdio: "inherit",
});
process.exit(signal ? 130 : (status ?? 1));
