// `npm run sanitize`: the addon's C++ parts and their tests (native/test) under AddressSanitizer and UndefinedBehaviorSanitizer.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const parts = (folder, but) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".cc") && !but.test(name))
    .map((name) => join(root, folder, name));

const folder = join(root, "build", "native", "sanitized");
mkdirSync(folder, { recursive: true });
const program = join(folder, "test");
const sources = [...parts("native/linux", /^(bind_|watchdog)/), ...parts("native/test", /^$/)];
const flags = ["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Wno-missing-field-initializers"];
const checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
const run = (file, args) => {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`${file}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
};
run("c++", [...flags, ...checks, "-o", program, ...sources]);
run(program, []);
