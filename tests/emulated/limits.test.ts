// What exec --source emulated does not tell: times of a run without its input or cut short, delays of what ran without the emulator.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isBadInput, MAIN, nibblemark } from "../cli/nibblemark.js";
import { ensureDebian } from "../support/debian.js";
import { temporaryFolder } from "../support/folder.js";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { buildPlugin, compileProgram, EMULATOR_PACKAGES } from "./bed.js";

const EXEC = ["exec", "--source", "emulated"];

const ready = need(
  process.platform === "linux" && process.arch === "x64",
  "Linux on x86-64",
  "QEMU user mode runs there",
);
if (ready && ensureDebian(EMULATOR_PACKAGES) && needNative()) {
  buildPlugin();
  const folder = temporaryFolder("limits");
  const input = join(folder, "lines");
  writeFileSync(input, Array.from({ length: 100_000 }, (_, i) => `${(i * 7919) % 100_003}\n`).join(""));

  test("the native run reads the same file as standard input", () => {
    const fd = openSync(input, "r");
    const command = [MAIN, ...EXEC, "-o", "json", "--", "sort", "--parallel=1"];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      stdio: [fd, "pipe", "pipe"],
      encoding: "utf8",
    });
    closeSync(fd);
    assert.is(status, 0, stderr);
    assert.is(stdout.split("\n").length, 100_001, "the watched run has it whole");
    const { baseline } = JSON.parse(stderr.slice(stderr.indexOf("{")));
    const nothing = spawnSync(process.execPath, [...command.slice(0, 4), "-o", "json", "--", "sort"], {
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    });
    assert.is(nothing.status, 0, nothing.stderr);
    const empty = JSON.parse(nothing.stderr.slice(nothing.stderr.indexOf("{"))).baseline;
    assert.ok(baseline.cpuNs > 3 * empty.cpuNs, `${baseline.cpuNs} ns with the file, ${empty.cpuNs} without`);
  });

  test("a shell's pipe as standard input is refused", () => {
    const line = `cat ${input} | ${process.execPath} ${MAIN} ${EXEC.join(" ")} -- sort`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", line], { encoding: "utf8" });
    isBadInput({ code: status, stdout, stderr }, "standard input", "is a pipe", "< /dev/null");
  });

  test("--duration is refused", () => {
    isBadInput(nibblemark([...EXEC, "--duration", "1", "--", "true"]), "--duration", "emulated");
  });

  test("nothing is predicted where a program went on without the emulator", () => {
    const chase = compileProgram("chase");
    const { code, stderr } = nibblemark([...EXEC, "--", "sh", "-c", `exec ${chase} 16 1000`]);
    assert.is(code, 0, stderr);
    assert.match(stderr, /unknown: part of it ran uncounted/);
    assert.not.match(stderr, /predicted slowdown/);
    const { stderr: json } = nibblemark([...EXEC, "-o", "json", "--", "sh", "-c", `exec ${chase} 16 1000`]);
    const result = JSON.parse(json.slice(json.indexOf("{")));
    assert.equal([result.incomplete, result.delay, result.slowdown], [true, null, null]);
  });
}

test.run();
