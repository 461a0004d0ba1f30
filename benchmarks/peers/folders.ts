// Where the peers and the generated files lie: the project's .cache folder, never the project itself.

import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** build/benchmarks/peers -> the project */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export const peerFolder = (name: string): string => join(ROOT, ".cache", "peers", name);

/** Generated models and weights. */
export function dataFolder(): string {
  const folder = peerFolder("data");
  mkdirSync(folder, { recursive: true });
  return folder;
}

export const isInstalled = (name: string): boolean => existsSync(join(peerFolder(name), "node_modules"));

/** A CommonJS package of a peer's folder. */
export function requirePeer(name: string, what: string): unknown {
  return createRequire(join(peerFolder(name), "package.json"))(what);
}

/** An ES module of a peer's folder, by the path below node_modules. */
export function importPeer(name: string, path: string): Promise<unknown> {
  return import(pathToFileURL(join(peerFolder(name), "node_modules", path)).href);
}
