// Turns a module of build/ into C with wasm2c and compiles it with a C host of this folder.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder.js";
import { root } from "../support/root.js";

/** Where Debian's wabt puts the runtime of translated modules. */
const RUNTIME = "/usr/share/wabt/wasm2c";
export const PACKAGES = ["wabt", "gcc", "libc6-dev"];

/** Compiles tests/embedding/HOST.c with build/MODULE.wasm; gives the path of the program. */
export function compileHost(host: string, module: string, name: string): string {
  const folder = temporaryFolder("embedding");
  const generated = join(folder, `${name}.c`);
  execFileSync("wasm2c", [join(root, "build", `${module}.wasm`), "-n", name, "-o", generated]);
  const program = join(folder, host);
  const sources = [join(root, "tests", "embedding", `${host}.c`), generated, join(RUNTIME, "wasm-rt-impl.c")];
  // A fused multiply-add would round once where WebAssembly rounds twice.
  const flags = ["-O2", "-ffp-contract=off", "-I", folder, "-I", RUNTIME];
  execFileSync("gcc", [...flags, "-o", program, ...sources, "-lm"], { stdio: ["ignore", "ignore", "pipe"] });
  return program;
}
