// `nibblemark exec --source emulated`: delays from a native run's time and the emulator's lines, and programs that cannot be emulated.

import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError, UnavailableError } from "../../src/core/errors.js";
import { openEmulated } from "../../src/counters/emulated.js";
import { emulatorHost } from "../../src/platform/emulator.js";
import { isBadInput, nibblemark } from "../cli/nibblemark.js";
import { ensureDebian } from "../support/debian.js";
import { temporaryFolder } from "../support/folder.js";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { buildPlugin, compileProgram, EMULATOR_PACKAGES } from "./bed.js";

const ready = need(
  process.platform === "linux" && process.arch === "x64",
  "Linux on x86-64",
  "QEMU user mode runs there",
);
if (ready && ensureDebian(EMULATOR_PACKAGES)) {
  buildPlugin();
  const folder = temporaryFolder("exec");
  const chase = compileProgram("chase");
  const source = openEmulated(emulatorHost(), { llcBytes: 2 ** 22, epochInstructions: 1e7 });
  const launch = (file: string) => {
    if (!source.launch) throw new Error("the source starts nothing");
    return source.launch({ file, name: "", args: [], env: {} });
  };

  async function refused(
    file: string,
    expected: RegExp,
    kind: typeof InputError | typeof UnavailableError = InputError,
  ) {
    try {
      await launch(file);
    } catch (error) {
      assert.instance(error, kind);
      assert.match((error as Error).message, expected);
      return;
    }
    assert.unreachable(`${file} was accepted`);
  }

  test("32-bit, setuid, foreign, missing and broken programs are refused", async () => {
    const program = (name: string, bytes: Uint8Array, mode = 0o755) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      chmodSync(path, mode);
      return path;
    };
    const elf = (bits: number, machine: number) =>
      Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, bits, 1, ...new Array(12).fill(0), machine, 0, 0, 0]);
    await refused(program("narrow", elf(1, 3)), /32-bit/);
    await refused(program("arm", elf(2, 183)), /another processor/);
    await refused(program("text", new TextEncoder().encode("no program at all")), /no ELF file/);
    await refused(program("plain", elf(2, 62), 0o644), /not executable/);
    await refused(join(folder, "nowhere"), /not found/);
    const setuid = join(folder, "setuid");
    copyFileSync(chase, setuid);
    chmodSync(setuid, 0o4755);
    await refused(setuid, /setuid/);
  });

  test("static programs and scripts are started, scripts by their interpreter", async () => {
    const { file, args } = await launch(chase);
    assert.match(file, /\/qemu-x86_64$/);
    assert.equal(args.slice(-2), [chase, chase]);
    const script = join(folder, "script");
    writeFileSync(script, "#!/bin/sh -e\necho hello\n");
    chmodSync(script, 0o755);
    assert.equal((await launch(script)).args.slice(-3), ["/bin/sh", "-e", script]);
  });

  test("without QEMU the package to install is named", async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      await refused(chase, /apt-get install qemu-user/, UnavailableError);
      const status = await source.probe();
      assert.is(status.available, false);
    } finally {
      process.env.PATH = path;
    }
  });

  if (needNative()) {
    test("exec --sample follows one of eight sets, for about the same lines", () => {
      const llcMisses = (sample: readonly string[]): number => {
        const args = [
          "exec",
          "--source",
          "emulated",
          "--llc",
          "4MiB",
          ...sample,
          "-o",
          "json",
          "--",
          chase,
          "16",
          "300000",
        ];
        const { code, stderr } = nibblemark(args);
        assert.is(code, 0, stderr);
        return JSON.parse(stderr.slice(stderr.indexOf("{"))).counters.llcMisses;
      };
      assert.ok(Math.abs(llcMisses(["--sample", "8"]) / llcMisses([]) - 1) < 0.02);
      isBadInput(nibblemark(["exec", "--source", "emulated", "--sample", "3", "--", chase]), "--sample", "1, 2, 4");
    });

    test("exec gives a delay between one line in flight and many, on native time", () => {
      const args = [
        "exec",
        "--source",
        "emulated",
        "--llc",
        "4MiB",
        "--topology",
        "cxl-remote",
        "-o",
        "json",
        "--",
        chase,
        "16",
        "3000000",
      ];
      const { code, stdout, stderr } = nibblemark(args);
      assert.is(code, 0, stderr);
      assert.match(stdout, /^\d+\n$/, "the program owns stdout");
      const result = JSON.parse(stderr.slice(stderr.indexOf("{")));
      const [low, high] = result.delay.slowestNs;
      assert.ok(low >= 0 && high > low && high > 1e6, JSON.stringify(result.delay));
      assert.ok(result.counters.llcMisses > 900_000);
      // The time of the epochs is that of the native run, however slow the emulator was.
      assert.ok(Math.abs(result.nativeNs / result.baseline.medianNs - 1) < 1e-6);
      assert.ok(result.notes.some((note: string) => note.includes("modelled cache of 4.0 MiB")));
      assert.ok(
        result.notes.some((note: string) => note.includes("one at a time")),
        "what the range stands for",
      );
    });
  }
}

test.run();
