// Small texts that outlast the process, in the user's cache folder. Losing them costs time only: what cannot be read or written
// is as if it were not there.

import { readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { KeptTexts } from "../core/ports.js";
import { makeFolder } from "./folders.js";

/** Files of $XDG_CACHE_HOME/nibblemark (default: ~/.cache/nibblemark). */
export function nodeTexts(): KeptTexts {
  const pathOf = (name: string) =>
    join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "nibblemark", `${name}.json`);
  return {
    read: (name) => readFile(pathOf(name), "utf8").catch(() => null),
    async write(name, text) {
      const path = pathOf(name);
      try {
        await makeFolder(dirname(path));
        await writeFile(`${path}.${process.pid}`, text);
        await rename(`${path}.${process.pid}`, path);
      } catch {
        // A full disk or a read-only home: it will be found again the next time.
      }
    },
  };
}
