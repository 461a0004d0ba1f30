// The hidden working folder beside the result: what is done already, so that a killed call goes on where it was. Every file in it
// is written under another name and renamed; the result itself appears by one rename at the very end.

import { createHash } from "node:crypto";
import { appendFile, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { makeFolder } from "../../platform/folders.js";
import { takeLock } from "../../platform/lock.js";
import { attempt } from "../../platform/node.js";
import type { CompressRequest } from "./request.js";

export interface Lines<T> {
  find(key: string): T | undefined;
  add(key: string, value: T): Promise<void>;
}

export interface Journal {
  readonly folder: string;
  /** Whether an earlier call left work behind. */
  readonly resumed: boolean;
  /** A piece of work done once: read back when it is there, else made and kept. */
  once<T>(name: string, make: () => Promise<T>): Promise<T>;
  /** Values by name that come one after another, a line each; a torn last line is made again. */
  lines<T>(name: string): Promise<Lines<T>>;
  /** Path inside the folder. */
  path(name: string): string;
  has(name: string): Promise<boolean>;
  /** Gives a finished folder inside its final name, and removes the working folder. */
  finish(made: string): Promise<void>;
  /** Ends the work of this call: a later one goes on. @param error bad input, after which nothing but finished work stays */
  leave(error: unknown): Promise<void>;
}

/** What makes two calls the same work; how it is shown and where it runs does not. */
function fingerprint(request: CompressRequest, prints: readonly string[]): string {
  const { force: _, restart: __, threads: ___, yes: ____, output: _____, ...rest } = request;
  return createHash("sha256")
    .update(JSON.stringify([rest, prints]))
    .digest("hex");
}

const workFolder = (output: string): string => join(dirname(resolve(output)), `.${basename(output)}.compress`);

/**
 * Opens or begins the working folder.
 * @param prints hashes of the files that are read
 * @throws InputError when it holds the work of another call
 */
export async function openJournal(
  platform: Platform,
  request: CompressRequest,
  prints: readonly string[],
): Promise<Journal> {
  const folder = workFolder(request.output);
  const path = (name: string) => join(folder, name);
  const release = await takeLock(`${folder}.lock`, request.output);
  const resumed = await openFolder(platform, request, folder, fingerprint(request, prints)).catch(async (error) => {
    await release();
    throw error;
  });
  return {
    ...{ folder, resumed, path },
    has: (name) => platform.exists(path(name)),
    async once<T>(name: string, make: () => Promise<T>): Promise<T> {
      const file = path(`${name}.json`);
      if (await platform.exists(file)) return JSON.parse(await platform.readText(file)) as T;
      const made = await make();
      await platform.writeWhole(file, `${JSON.stringify(made, null, 2)}\n`);
      return made;
    },
    lines: (name) => openLines(path(`${name}.jsonl`)),
    async leave(error) {
      const isBad = error instanceof InputError && !error.source.startsWith(folder);
      if (isBad && !(await holdsWork(folder))) await rm(folder, { recursive: true, force: true });
      await release();
    },
    async finish(made) {
      const target = resolve(request.output);
      await attempt(request.output, async () => {
        await makeFolder(dirname(target));
        // What is replaced goes aside first: at no moment is neither of the two whole.
        const old = path("replaced-by-force");
        if (request.force && (await platform.exists(target))) await rename(target, old);
        await rename(made, target);
        await rm(folder, { recursive: true, force: true });
      });
    },
  };
}

/** Whether work of an earlier call was found there. Throws InputError for that of another. */
async function openFolder(platform: Platform, request: CompressRequest, folder: string, print: string) {
  const known = join(folder, "request.json");
  if (request.restart) await rm(folder, { recursive: true, force: true });
  if (!(await platform.exists(known))) {
    await platform.writeWhole(known, `${JSON.stringify({ fingerprint: print, request }, null, 2)}\n`);
    return false;
  }
  const { fingerprint: earlier } = JSON.parse(await platform.readText(known)) as { fingerprint?: string };
  if (earlier !== print) {
    const remedy = "Repeat that call as it was, or forget its work with --restart";
    throw new InputError(folder, "", "holds the unfinished work of another call, or of other data", remedy);
  }
  // What was being written when it was killed.
  for (const name of await readdir(folder)) {
    if (name.endsWith(".tmp")) await rm(join(folder, name), { recursive: true });
  }
  return true;
}

/** Whether there is more than the request and empty files. */
async function holdsWork(folder: string): Promise<boolean> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (name === "request.json" || name.endsWith(".tmp")) continue;
    const found = await stat(join(folder, name));
    if (found.isDirectory() || found.size > 0) return true;
  }
  return false;
}

async function openLines<T>(file: string): Promise<Lines<T>> {
  const known = new Map<string, T>();
  const text = await readFile(file, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    try {
      const [key, value] = JSON.parse(line) as [string, T];
      known.set(key, value);
    } catch {
      // Killed while it was written, or the end.
    }
  }
  if (text !== "" && !text.endsWith("\n")) await attempt(file, () => appendFile(file, "\n"));
  return {
    find: (key) => known.get(key),
    async add(key, value) {
      if (known.has(key)) return;
      known.set(key, value);
      await attempt(file, () => appendFile(file, `${JSON.stringify([key, value])}\n`));
    },
  };
}
