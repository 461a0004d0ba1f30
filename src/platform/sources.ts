// Lazy sources that browsers have as well as Node: a Blob or File, and HTTP with byte ranges; and the file access of a
// folder of either, which stands in for a platform's own. Nothing is read before it is asked for.

import { InputError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import type { ByteSource } from "../core/tensor.js";

/** What readers of models need of a platform. */
export type FileAccess = Pick<Platform, "open" | "readText" | "exists" | "list">;

/** Longest text (config, tokenizer) that is read whole. */
const MOST_TEXT_BYTES = 256 * 1024 * 1024;

/** True for what is read over HTTP. */
export const isAddress = (path: string): boolean => /^https?:\/\//i.test(path);

/** Bytes of a Blob or File. @param name for messages */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    sizeBytes: blob.size,
    async read(offset, length) {
      checkRange(name, blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    async close() {},
  };
}

/**
 * A file behind HTTP(S), read by ranges (RFC 9110 §14).
 * @throws InputError when the server has no such file, or does not answer ranges
 */
export async function httpSource(url: string): Promise<ByteSource> {
  // What a proxy packs has other bytes at an offset.
  const plain = { "Accept-Encoding": "identity" };
  const first = await request(url, { headers: { Range: "bytes=0-0", ...plain } });
  await first.body?.cancel();
  const sizeBytes = Number(/\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
  if (first.status !== 206 || !Number.isSafeInteger(sizeBytes)) {
    throw new InputError(url, "", "the server does not answer byte ranges", "Download the file and name its path");
  }
  return {
    name: url,
    sizeBytes,
    async read(offset, length) {
      checkRange(url, sizeBytes, offset, length);
      if (length === 0) return new Uint8Array(0);
      const answer = await request(url, {
        headers: { Range: `bytes=${offset}-${offset + length - 1}`, ...plain },
      });
      if (answer.status === 206) {
        const whole = await bodyOf(answer, url);
        if (whole.length === length) return whole;
      } else await answer.body?.cancel();
      const problem = `asked for ${length} bytes from ${offset}, the server answered ${answer.status} with others`;
      throw new InputError(url, "", problem, "Try again, or download the file");
    },
    async close() {},
  };
}

function bodyOf(answer: Response, url: string): Promise<Uint8Array> {
  return answer.arrayBuffer().then(
    (bytes) => new Uint8Array(bytes),
    (error: unknown) => {
      throw new InputError(url, "", `stopped in the middle (${(error as Error).message})`, "Try again");
    },
  );
}

function checkRange(name: string, sizeBytes: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= sizeBytes) return;
  const problem = `bytes ${offset} to ${offset + length} were asked for, the file has ${sizeBytes}`;
  throw new InputError(name, "", problem, "Get the whole file again");
}

/** fetch says "fetch failed"; what failed is its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return (cause as Error | undefined)?.message || message;
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init).catch((error: unknown) => {
    throw new InputError(url, "", `cannot be reached (${reasonOf(error)})`, "Check the address");
  });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  throw new InputError(url, "", `the server answered ${answer.status}`, "Check the address");
}

/** Files by name, such as a page's file picker gives; names may hold the folder they came from. */
export function blobFiles(files: ReadonlyMap<string, Blob>): FileAccess {
  const find = (path: string): Blob => {
    const found = files.get(path.replace(/^\.\//, ""));
    if (found) return found;
    throw new InputError(path, "", "no such file was given", `Given were: ${[...files.keys()].slice(0, 8).join(", ")}`);
  };
  return {
    open: async (path) => blobSource(find(path), path),
    readText: async (path) => textOf(await blobBytes(find(path), path), path),
    exists: async (path) => files.has(path.replace(/^\.\//, "")),
    list: async (folder) => {
      const prefix = folder === "." ? "" : `${folder}/`;
      return [...files.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    },
  };
}

/** Addresses as paths: a folder is an address that ends in its name. A server lists no files. */
export function httpFiles(): FileAccess {
  return {
    open: httpSource,
    async readText(url) {
      const source = await httpSource(url);
      if (source.sizeBytes > MOST_TEXT_BYTES) throw tooLong(url, source.sizeBytes);
      return textOf(await source.read(0, source.sizeBytes), url);
    },
    async exists(url) {
      const answer = await fetch(url, { method: "HEAD" }).catch(() => null);
      return answer?.ok ?? false;
    },
    list: async () => [],
  };
}

async function blobBytes(blob: Blob, path: string): Promise<Uint8Array> {
  if (blob.size > MOST_TEXT_BYTES) throw tooLong(path, blob.size);
  return new Uint8Array(await blob.arrayBuffer());
}

function tooLong(path: string, bytes: number): InputError {
  return new InputError(path, "", `has ${bytes} bytes, no config or tokenizer has that many`, "Get the file again");
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(path, "", "is no UTF-8", "Get the file again");
  }
}
