// One process at a time: a file with the number of the one that works, taken away in the end. What a killed one left counts as free.

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { InputError } from "../core/errors.js";
import { attempt } from "./node.js";
import { isAlive, temporaryName } from "./temporary.js";

/** The process that holds a lock; null: none, or one that is gone. */
async function holderOf(path: string): Promise<number | null> {
  const pid = Number(await readFile(path, "utf8").catch(() => ""));
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : null;
}

/**
 * Takes a lock; the result gives it back.
 * @param what is locked, for the message
 * @throws InputError while another process of this machine holds it
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await attempt(path, () => writeFile(path, `${process.pid}\n`, { flag: "wx" }));
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof InputError) || !/EEXIST/.test(error.problem)) throw error;
    }
    const holder = await holderOf(path);
    if (holder !== null) {
      const remedy = "Wait until it ends, or name another place";
      throw new InputError(what, "", `is being made by process ${holder}`, remedy);
    }
    // Renamed first: of two processes that find it stale, one moves it aside.
    const aside = temporaryName(path);
    await rename(path, aside).catch(() => {});
    await rm(aside, { force: true });
  }
}
