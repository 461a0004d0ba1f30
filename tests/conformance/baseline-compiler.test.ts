// V8 runs a kernel in its baseline compiler before its optimizing one takes over; Node 20's has bugs that only show there
// (a worker lost its job after atomic.wait). So the suite runs again with each compiler alone.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

const suite = fileURLToPath(new URL("./wasm.test.js", import.meta.url));

for (const flag of ["--liftoff-only", "--no-liftoff"]) {
  test(`the WASM backend agrees with the reference under ${flag}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [flag, suite], {
      encoding: "utf8",
      timeout: 120_000,
    });
    assert.is(status, 0, `${stdout}\n${stderr}`);
  });
}

test.run();
