#!/usr/bin/env node
// The command `nibblemark`. A packed tarball brings its build along; a clone builds itself first.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../build/src/cli/main.js", import.meta.url);
if (!existsSync(main)) {
  const ensureUrl = new URL("./ensure.mjs", import.meta.url);
  if (!existsSync(fileURLToPath(ensureUrl))) {
    console.error("nibblemark: this package holds no build; install it again from a complete tarball");
    process.exit(2);
  }
  (await import(ensureUrl.href)).ensure();
}
await import(main.href);
