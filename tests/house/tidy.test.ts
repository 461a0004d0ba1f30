// House rules that a program can see: file length, no machine paths, no download addresses in the lock file.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";
import { sources } from "../support/sources.js";

const code = ["src", "demo", "assembly", "scripts", "tests", "benchmarks"].flatMap((folder) =>
  sources(folder, [".ts", ".mjs"]),
);

test("no source file is longer than 250 lines", () => {
  const long = code.filter(({ text }) => text.split("\n").length > 251).map(({ path }) => path);
  assert.equal(long, []);
});

test("every source file opens with a comment that says what it is for", () => {
  const silent = code.filter(({ text }) => !/^(#!.*\n)?\/\//.test(text)).map(({ path }) => path);
  assert.equal(silent, []);
});

test("every package that src imports is a dependency, so that a packed tarball finds it", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const imported = code
    .filter(({ path }) => path.startsWith("src/"))
    .flatMap(({ text }) => [...text.matchAll(/ from "((?:@[^/"]+\/)?[^/."][^/"]*)/g)].map(([, name]) => name ?? ""));
  const unknown = imported.filter((name) => !name.startsWith("node:") && !(name in dependencies));
  assert.equal(unknown, []);
});

test("no default exports", () => {
  assert.equal(
    code.filter(({ text }) => /^export default /m.test(text)).map(({ path }) => path),
    [],
  );
});

test("the lock file records no download addresses", () => {
  assert.not.match(readFileSync(join(root, "package-lock.json"), "utf8"), /"resolved"/);
});

test("no machine path is committed", () => {
  const machine = new RegExp(`(?:${["work", "root", "home/[a-z]+"].map((part) => `/${part}/`).join("|")})`);
  const everything = sources(".", [".ts", ".mjs", ".md", ".json", ".py", ".html"]).filter(
    ({ path }) => !path.startsWith("package-lock"),
  );
  assert.equal(
    everything.filter(({ text }) => machine.test(text)).map(({ path }) => path),
    [],
  );
});

test.run();
