// Models behind an address, as a user names them: a folder and a GGUF file over byte ranges say what the paths say, and a
// server without ranges, or none at all, is told in one line.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { serveFolder } from "../support/range-server.js";
import { root } from "../support/root.js";
import { type Ended, isBadInput, newFolder, nibblemark } from "./nibblemark.js";
import { writeSmallModel } from "./small-model.js";

/** While it runs, this process answers as the server. */
function beside(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, "build", "src", "cli", "main.js"), ...args]);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

const { path: folder, remove } = newFolder();
const small = await writeSmallModel(folder);
const gguf = join(folder, "one.gguf");
assert.is(nibblemark(["convert", small, gguf, "--to", "gguf-q4_0", "-q"]).code, 0);
const server = await serveFolder(folder);
test.after(() => {
  server.close();
  remove();
});

test("a folder and a file", async () => {
  for (const name of ["small", "small/", "small/model.safetensors"]) {
    const { code, stdout, stderr } = await beside(["inspect", `${server.url}/ranges/${name}`, "-o", "json"]);
    assert.is(code, 0, stderr);
    const [here, there] = [JSON.parse(nibblemark(["inspect", small, "-o", "json"]).stdout), JSON.parse(stdout)];
    assert.equal([there.parameters, there.classes, there.memory], [here.parameters, here.classes, here.memory]);
  }
  const asked = ["-p", "Call me", "-n", "6", "-q"];
  for (const [name, path] of [
    ["small", small],
    ["one.gguf", gguf],
  ]) {
    const { code, stdout, stderr } = await beside(["run", `${server.url}/ranges/${name}`, ...asked]);
    assert.is(code, 0, stderr);
    assert.is(stdout, nibblemark(["run", path, ...asked]).stdout);
  }
  const copy = join(folder, "copy");
  assert.is((await beside(["convert", `${server.url}/ranges/small`, copy, "--to", "hf-fp16", "-q"])).code, 0);
  assert.is(nibblemark(["run", copy, ...asked]).stdout, nibblemark(["run", small, ...asked]).stdout);
});

test("what cannot be read is told", async () => {
  isBadInput(
    await beside(["inspect", `${server.url}/whole/one.gguf`]),
    "/whole/one.gguf",
    "does not answer byte ranges",
  );
  isBadInput(await beside(["run", `${server.url}/ranges/absent.gguf`, "-p", "x"]), "absent.gguf", "answered 404");
  isBadInput(await beside(["inspect", "http://127.0.0.1:9/model.gguf"]), "cannot be reached", "Check the address");
});

test.run();
