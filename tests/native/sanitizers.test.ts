// The addon's C++ parts under AddressSanitizer and UndefinedBehaviorSanitizer, with a scripted kernel and with the real one.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { need } from "../support/need.js";
import { root } from "../support/root.js";

const compiler = spawnSync("c++", ["--version"], { encoding: "utf8" });

if (need(compiler.status === 0 && process.platform === "linux", "a C++ compiler on Linux", "Install g++")) {
  test("all checks hold and nothing is reported", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts", "sanitize-native.mjs")], {
      encoding: "utf8",
    });
    assert.is(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /all checks hold/);
    assert.not.match(stderr, /runtime error|AddressSanitizer/);
  });
}

test.run();
