// The Node platform: files, clock and package paths behind core/ports.ts. Every failure of the operating system becomes
// an InputError that names the path, so that no stack trace reaches a user.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, type FileHandle, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { InputError, UnavailableError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import type { ByteSource } from "../core/tensor.js";
import { makeFolder } from "./folders.js";
import { nodeGpu } from "./node-gpu.js";
import { nodeTexts } from "./node-texts.js";
import { nodeWorkers } from "./node-workers.js";
import { httpFiles, isAddress } from "./sources.js";

// build/src/platform/node.js -> the package
const PACKAGE_ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The platform of this process. A path that is an address (http:, https:) is read by ranges; nothing else uses the network. */
export function nodePlatform(): Platform {
  const web = httpFiles();
  return {
    name: runtimeName(),
    cpuCount: cpus().length,
    open: (path) => (isAddress(path) ? web.open(path) : openFile(path)),
    readText: (path) => (isAddress(path) ? web.readText(path) : attempt(path, () => readFile(path, "utf8"))),
    exists: (path) => (isAddress(path) ? web.exists(path) : canRead(path)),
    list: (folder) => {
      return isAddress(folder) ? web.list(folder) : attempt(folder, async () => (await readdir(folder)).sort());
    },
    writeWhole,
    wasm: readWasm,
    packagePath: (relative) => join(PACKAGE_ROOT, relative),
    clock: { nowNs: () => Number(process.hrtime.bigint()) },
    limited,
    workers: nodeWorkers(),
    gpu: () => nodeGpu(PACKAGE_ROOT),
    texts: nodeTexts(),
    peakMemoryBytes: () => process.resourceUsage().maxRSS * 1024,
  };
}

const canRead = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

/** The engine ends a script after its time, and with it whatever the script has called. */
function limited<T>(what: string, ms: number, work: () => T): T {
  try {
    return runInNewContext("work()", { work }, { timeout: ms }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new InputError(what, "", `took more than ${ms} ms`, "Do without it, or get it from someone you trust");
  }
}

/** Bun and Deno run this file too, through their node: modules. */
function runtimeName(): "node" | "bun" | "deno" {
  if ("bun" in process.versions) return "bun";
  return "deno" in process.versions ? "deno" : "node";
}

/** Runs an action of the operating system. Throws InputError that names the path, and what to do. */
export async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    // Faults of this program are not the system's.
    if (error instanceof InputError || !(error as NodeJS.ErrnoException).code) throw error;
    const { problem, remedy } = explain(error);
    throw new InputError(path, "", problem, remedy);
  }
}

/** As `attempt`, for what a thread does without a break. */
export function attemptSync<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof InputError || !(error as NodeJS.ErrnoException).code) throw error;
    const { problem, remedy } = explain(error);
    throw new InputError(path, "", problem, remedy);
  }
}

function explain(error: unknown): { problem: string; remedy: string } {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return { problem: "no such file or folder", remedy: "Check the path" };
    case "EACCES":
    case "EPERM":
      return { problem: "no permission", remedy: "Check who may use it" };
    case "EISDIR":
      return { problem: "is a folder, a file was expected", remedy: "Name a file inside it" };
    case "ENOTDIR":
      return { problem: "is a file, a folder was expected", remedy: "Name a folder" };
    case "ENOSPC":
    case "EDQUOT":
      return { problem: "the disk is full", remedy: "Free some space" };
    case "EFBIG":
      return {
        problem: "the system does not let a file be this large",
        remedy: "Write elsewhere, or raise `ulimit -f`",
      };
    default:
      return { problem: message, remedy: "Check the path" };
  }
}

async function openFile(path: string): Promise<ByteSource> {
  return attempt(path, async () => {
    const handle = await open(path, "r");
    const stat = await handle.stat();
    if (stat.isDirectory()) {
      await handle.close();
      throw Object.assign(new Error("is a folder"), { code: "EISDIR" });
    }
    return fileSource(path, handle, stat.size);
  });
}

function fileSource(path: string, handle: FileHandle, sizeBytes: number): ByteSource {
  return {
    name: path,
    sizeBytes,
    async read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > sizeBytes) {
        const problem = `bytes ${offset} to ${offset + length} were asked for, the file has ${sizeBytes}`;
        throw new InputError(path, "", problem, "Get the whole file again");
      }
      // No zeros are written that the file would overwrite.
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
      await fill(path, handle, offset, bytes);
      return bytes;
    },
    readInto: (offset, target) => fill(path, handle, offset, target),
    close: () => handle.close(),
  };
}

async function fill(path: string, handle: FileHandle, offset: number, target: Uint8Array): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await attempt(path, () => handle.read(target, done, target.length - done, offset + done));
    if (bytesRead === 0) throw new InputError(path, "", "became shorter while it was read", "Read it again");
    done += bytesRead;
  }
}

async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
  await attempt(path, async () => {
    await makeFolder(dirname(path));
    try {
      await writeFile(temporary, data);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

async function readWasm(name: string): Promise<Uint8Array> {
  const path = join(PACKAGE_ROOT, "build", `${name}.wasm`);
  try {
    return await readFile(path);
  } catch {
    throw new UnavailableError(`build/${name}.wasm`, "it was not built", "Run `npm run build:wasm`");
  }
}
