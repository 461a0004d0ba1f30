// A web server on the loopback over a folder, with byte ranges or (below /whole/) without.

import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

export interface RangeServer {
  readonly url: string;
  close(): void;
}

function sizeOf(path: string): number | null {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat.size : null;
  } catch {
    return null;
  }
}

export async function serveFolder(folder: string): Promise<RangeServer> {
  const server = createServer((request, response) => {
    const [, mode, ...rest] = decodeURI(request.url ?? "").split("/");
    const path = join(folder, normalize(rest.join("/")));
    const size = sizeOf(path);
    if (size === null) return response.writeHead(404).end();
    const range = mode === "ranges" ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") : null;
    if (!range) {
      return response
        .writeHead(200, { "content-length": size })
        .end(request.method === "HEAD" ? "" : readFileSync(path));
    }
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
    response.writeHead(206, { "content-range": `bytes ${start}-${end}/${size}`, "content-length": end - start + 1 });
    createReadStream(path, { start, end }).pipe(response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close().closeAllConnections() };
}
