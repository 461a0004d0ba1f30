// Who may import whom (docs: ARCHITECTURE.md). Reads every import of src/, assembly/ and demo/ and holds it
// against the table; also finds import cycles.

import { dirname, join, normalize } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sources } from "../support/sources.js";

/** Rooms of src/ and the rooms each may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  formats: ["core"],
  placement: ["core"],
  delay: ["core"],
  stats: ["core"],
  report: ["core"],
  counters: ["core"],
  backends: ["core"],
  model: ["core"],
  compress: ["core"],
  train: ["core"],
  run: ["core"],
  platform: ["core"],
  hosts: ["core"],
  cli: ["*"],
  "index.ts": ["*"],
  "node.ts": ["*"],
  "browser.ts": ["*"],
};
/** Rooms that may touch node: modules. */
const NODE_ROOMS = ["platform", "hosts", "cli", "node.ts"];

const files = sources("src", [".ts"]);
const room = (path: string): string => path.split("/")[1] ?? "";

/** Targets of all static and dynamic imports of a file. */
function imports(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1] as string);
}

function resolve(path: string, target: string): string {
  return normalize(join(dirname(path), target))
    .replaceAll("\\", "/")
    .replace(/\.js$/, ".ts");
}

test("every room imports only what it may", () => {
  const broken = files.flatMap(({ path, text }) =>
    imports(text)
      .filter((target) => target.startsWith("."))
      .map((target) => resolve(path, target))
      .filter((target) => target.startsWith("src/") && room(target) !== room(path))
      .filter((target) => !ALLOWED[room(path)]?.some((allowed) => allowed === "*" || allowed === room(target)))
      .map((target) => `${path} -> ${target}`),
  );
  assert.equal(broken, []);
});

test("every room of src/ has a rule", () => {
  assert.equal(
    [...new Set(files.map(({ path }) => room(path)))].filter((name) => !(name in ALLOWED)),
    [],
  );
});

test("only the platform rooms and entry points touch node: modules", () => {
  const broken = files.filter(
    ({ path, text }) => !NODE_ROOMS.includes(room(path)) && imports(text).some((target) => target.startsWith("node:")),
  );
  assert.equal(
    broken.map(({ path }) => path),
    [],
  );
});

test("a file of one backend, source or format imports no sibling but its own folder", () => {
  const broken = files.flatMap(({ path, text }) => {
    const own = /^src\/(?:backends|counters)\/([a-z0-9-]+)(?:\.ts|\/)/.exec(path)?.[1];
    if (!own) return [];
    return imports(text)
      .filter((target) => target.startsWith("."))
      .map((target) => /^src\/(?:backends|counters)\/([a-z0-9-]+)(?:\.ts|\/)/.exec(resolve(path, target))?.[1])
      .filter((other) => other !== undefined && other !== own)
      .map((other) => `${path} -> ${other}`);
  });
  assert.equal(broken, []);
});

test("a room of assembly/ imports only itself, and compress the kernels", () => {
  const files = sources("assembly", [".ts"]);
  const broken = files.flatMap(({ path, text }) => {
    const allowed = [`assembly/${room(path)}/`, ...(room(path) === "compress" ? ["assembly/kernels/"] : [])];
    return imports(text)
      .filter((target) => !allowed.some((folder) => resolve(path, target).startsWith(folder)))
      .map((target) => `${path} -> ${target}`);
  });
  assert.equal(broken, []);
  assert.ok(files.length > 0);
});

test("the demo imports its own files, uPlot and the public browser entry", () => {
  const allowed = (path: string, target: string) =>
    resolve(path, target).startsWith("demo/") ||
    resolve(path, target) === "src/browser.ts" ||
    /^uplot(\/|$)/.test(target);
  const demo = sources("demo", [".ts"]);
  const broken = demo.flatMap(({ path, text }) =>
    imports(text)
      .filter((target) => !allowed(path, target))
      .map((target) => `${path} -> ${target}`),
  );
  assert.equal(broken, []);
  assert.ok(demo.length > 0);
});

test("there are no import cycles", () => {
  const graph = new Map(
    files.map(({ path, text }) => [
      path,
      imports(text.replace(/^import type .*$/gm, ""))
        .filter((target) => target.startsWith("."))
        .map((target) => resolve(path, target)),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(" -> ")];
    if (done.has(path)) return [];
    const found = (graph.get(path) ?? []).flatMap((next) => visit(next, [...trail, path]));
    done.add(path);
    return found;
  };
  assert.equal(
    [...graph.keys()].flatMap((path) => visit(path, [])),
    [],
  );
});

test.run();
