// The public entries: the browser's reaches no node: module however deep, Node's answers a question in a few lines.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

/** All modules of ours that a built module imports, itself included. */
function reach(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const targets = [...readFileSync(path, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  for (const target of targets) {
    if (target.startsWith("node:")) seen.add(target);
    if (target.startsWith(".")) reach(join(dirname(path), target), seen);
  }
  return seen;
}

for (const entry of ["index.js", "browser.js", "cli/page/main.js", "cli/page/worker.js"]) {
  test(`${entry}, which browsers load, reaches no node: module`, () => {
    const reached = [...reach(join(root, "build", "src", entry))];
    assert.equal(
      reached.filter((name) => name.startsWith("node:")),
      [],
    );
    assert.ok(reached.length > 1);
  });
}

test("the node entry has what it takes to run a benchmark", async () => {
  const entry = await import("../../src/node.js");
  for (const name of [
    "nodePlatform",
    "openModel",
    "loadModel",
    "openSession",
    "openTrafficModel",
    "runBench",
  ] as const) {
    assert.type(entry[name], "function");
  }
});

test.run();
