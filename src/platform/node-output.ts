// Folders and files that appear whole or not at all: everything is written and synced under a temporary name in the same
// folder, then renamed.

import { lstat, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../core/errors.js";
import type { OutputFolder } from "../core/write.js";
import { makeFolder } from "./folders.js";
import { attempt } from "./node.js";
import { removeStale, temporaryName } from "./temporary.js";

export interface OutputOptions {
  /** Replace what is there; otherwise that is refused. */
  readonly replace: boolean;
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

function inTheWay(path: string): InputError {
  return new InputError(path, "", "exists already", "Name another place, or replace it with --force");
}

/** A folder that gets its name when it is complete. @throws InputError where the name is taken or cannot be written */
export async function outputFolder(asked: string, { replace }: OutputOptions): Promise<OutputFolder> {
  const path = resolve(asked);
  if (!replace && (await exists(path))) throw inTheWay(asked);
  await removeStale(path);
  const temporary = temporaryName(path);
  await attempt(asked, () => makeFolder(temporary));
  return {
    write: (name, chunks) => attempt(join(asked, name), () => writeFile(join(temporary, name), chunks)),
    async commit() {
      if (!replace && (await exists(path))) throw inTheWay(asked);
      await attempt(asked, async () => {
        await syncFolder(temporary);
        const old = replace && (await exists(path)) ? temporaryName(path, "old") : null;
        if (old) await rename(path, old);
        await rename(temporary, path);
        await syncFolder(dirname(path));
        if (old) await rm(old, { recursive: true, force: true });
      });
    },
    discard: () => rm(temporary, { recursive: true, force: true }),
  };
}

/** Files beside `asked`, each of which gets its name when all are complete; the one named like `asked` comes last. */
export async function outputFiles(asked: string, { replace }: OutputOptions): Promise<OutputFolder> {
  const path = resolve(asked);
  const folder = dirname(path);
  if (!replace && (await exists(path))) throw inTheWay(asked);
  await removeStale(path);
  const temporary = temporaryName(path);
  await attempt(asked, () => makeFolder(temporary));
  return {
    async write(name, chunks) {
      if (!replace && (await exists(join(folder, name)))) throw inTheWay(join(dirname(asked), name));
      return attempt(join(dirname(asked), name), () => writeFile(join(temporary, name), chunks));
    },
    async commit() {
      const names = (await readdir(temporary)).sort(
        (a, b) => Number(a === basename(path)) - Number(b === basename(path)),
      );
      for (const name of names) {
        if (!replace && (await exists(join(folder, name)))) throw inTheWay(join(dirname(asked), name));
      }
      await attempt(asked, async () => {
        for (const name of names) await rename(join(temporary, name), join(folder, name));
        await rm(temporary, { recursive: true, force: true });
        await syncFolder(folder);
      });
    },
    discard: () => rm(temporary, { recursive: true, force: true }),
  };
}

async function writeFile(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  const file = await open(path, "wx");
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, at, Math.min(chunk.length - at, 1 << 26));
        at += bytesWritten;
      }
      bytes += chunk.length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** The entries of a folder must be on the disk before its name is; some systems do not sync folders. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
