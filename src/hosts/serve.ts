// A web server for pages of this package: folders on loopback only, cross-origin isolated so that pages may share memory
// between threads, below a secret so that no other page of this machine can read or answer.

import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".png": "image/png",
};

const HEADERS: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; object-src 'none'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/** Answers a request below the secret; false: not mine. `path` has no leading slash. */
export type Handler = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export interface ServeOptions {
  /** Folders by the first part of the path, as `{ build: "/package/build" }`. */
  readonly folders: Readonly<Record<string, string>>;
  /** Asked before the folders. */
  readonly handler?: Handler;
  /** false: without the isolation headers, as many static hosts serve. */
  readonly isolated?: boolean;
  /** Served at the root, its index.html for the root itself; it has no secret then, as everyone may read it. */
  readonly site?: string;
  /** Default: a free one. Rejects with the system's error when it is taken. */
  readonly port?: number;
}

export interface PageServer {
  /** Address of the root, ending in "/". */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves on a free port of 127.0.0.1 until closed. */
export async function servePages(options: ServeOptions): Promise<PageServer> {
  const root = options.site === undefined ? `/${randomBytes(16).toString("hex")}/` : "/";
  const server = createServer((request, response) => {
    const isolation = options.isolated === false ? { "X-Content-Type-Options": "nosniff" } : HEADERS;
    for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value);
    answer(root, options, request, response).catch(() => {
      if (!response.headersSent) response.statusCode = 500;
      response.end();
    });
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(options.port ?? 0, "127.0.0.1", done);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${root}`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function answer(root: string, options: ServeOptions, request: IncomingMessage, response: ServerResponse) {
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://loopback").pathname);
  // A foreign name that resolves to this machine would let a foreign page in.
  const known = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? "");
  const inside = path.startsWith(root) ? path.slice(root.length) : null;
  if (!known || inside === null) return refuse(response, 404);
  if (await options.handler?.(inside, request, response)) return;
  await sendFile(options, inside, request, response);
}

function refuse(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}

/** A file of the folders, or a range of it (RFC 9110 §14, one range of the form `bytes=from-to`). */
async function sendFile(
  { folders, site }: ServeOptions,
  inside: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts = (site !== undefined && inside === "" ? "index.html" : inside).split("/");
  const named = Object.hasOwn(folders, parts[0] ?? "") ? folders[parts[0] as string] : undefined;
  const folder = named ?? site;
  const rest = named === undefined ? parts : parts.slice(1);
  if (folder === undefined || rest.some((part) => part === ".." || part.includes(sep) || part.includes("\0"))) {
    return refuse(response, 404);
  }
  const path = join(folder, ...rest);
  const size = await stat(path).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  );
  if (size === null) return refuse(response, 404);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  const range = from === undefined ? null : { start: Number(from), end: Math.min(Number(to), size - 1) };
  if (range && range.start > range.end) return refuse(response, 416);
  response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
  response.setHeader("Accept-Ranges", "bytes");
  if (range) response.setHeader("Content-Range", `bytes ${range.start}-${range.end}/${size}`);
  response.setHeader("Content-Length", range ? range.end - range.start + 1 : size);
  response.statusCode = range ? 206 : 200;
  if (request.method === "HEAD") response.end();
  else createReadStream(path, range ?? {}).pipe(response);
}
