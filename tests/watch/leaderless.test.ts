// A program whose first thread has ended while others go on (pthread_exit in main) is watched, estimated and stopped like any other.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isBadInput, newFolder, nibblemark } from "../cli/nibblemark.js";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";
import { assertNothingLeft } from "./harness.js";

const folder = newFolder();
const program = join(folder.path, "leaderless");
const source = join(root, "tests", "watch", "leaderless.c");
const compiled = spawnSync("cc", ["-O2", "-o", program, source, "-lpthread"]).status === 0;

if (needNative() && need(compiled, "a C compiler on Linux", "Install gcc and libc6-dev")) {
  let busy: ChildProcess;
  test.before.each(async () => {
    busy = spawn(program, ["60"], { stdio: "ignore" });
    await sleep(500);
    assert.match(readFileSync(`/proc/${busy.pid}/status`, "utf8"), /State:\s+Z/);
  });
  test.after.each(() => void busy.kill("SIGKILL"));
  test.after(() => folder.remove());
  const attach = (...flags: string[]) => {
    const { code, stdout, stderr } = nibblemark(["attach", String(busy.pid), ...flags, "-o", "json"]);
    assert.is(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const states = () =>
    spawnSync("sh", ["-c", `grep -h State /proc/${busy.pid}/task/*/status`], { encoding: "utf8" }).stdout;

  test("its threads' time is told, and touches of its memory", () => {
    const { onCpuNs, counters } = attach("--source", "breakpoint", "--duration", "3");
    assert.ok(onCpuNs > 0.1e9, `${onCpuNs}`);
    assert.ok(counters.probes > 0 && counters.touched > 0, JSON.stringify(counters));
  });

  test("it is stopped by signals, as the kernel would not let its first thread out of a cgroup again, and goes on", async () => {
    const { injection } = attach("--source", "none", "--duration", "2", "--slow", "1.5");
    assert.is(injection.method, "signals");
    assert.ok(injection.stops > 3, JSON.stringify(injection));
    assert.ok(Math.abs(injection.achievedNs / injection.requestedNs - 1) < 0.25, JSON.stringify(injection));
    assert.not.match(states(), /State:\s+T/);
    const asked = nibblemark(["attach", String(busy.pid), "--source", "none", "--slow", "1.5", "--stop-by", "cgroup"]);
    assert.is(asked.code, 3);
    assert.match(asked.stderr, /first thread has ended.*signals/);
    await assertNothingLeft(program);
  });

  test("exec watches one to its end", () => {
    const { code, stdout, stderr } = nibblemark(["exec", "--slow", "1.2", "-o", "json", "--", program, "1"]);
    assert.is(code, 0, stderr);
    assert.is(stdout, "both ended\n");
    const { injection, threads } = JSON.parse(stderr);
    assert.ok(threads >= 2 && injection.stops > 0, stderr);
  });

  test("once all its threads have ended it is a zombie like any other", async () => {
    // The shell waits for its sleep alone and takes no note of the program's end.
    const parent = spawn("sh", ["-c", `${program} 0.1 & exec sleep 20`], { stdio: "ignore" });
    await sleep(900);
    const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8").trim();
    isBadInput(nibblemark(["attach", children]), "zombie");
    parent.kill();
  });
}

test.run();
