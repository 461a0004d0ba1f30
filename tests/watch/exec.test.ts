// `nibblemark exec` as a user runs it: whose stdin and stdout are whose, exit codes, children, files, signals.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isBadInput, newFolder, nibblemark } from "../cli/nibblemark.js";
import { needNative } from "../support/native.js";
import { counting } from "../support/programs.js";
import { MAIN } from "./harness.js";

const NONE = ["--source", "none"];
const sh = (line: string) => ["--", "sh", "-c", line];

if (needNative()) {
  const folder = newFolder();
  test.after(() => folder.remove());
  const file = (name: string) => join(folder.path, name);

  test("the program owns stdin and stdout, the summary goes to stderr", () => {
    const { code, stdout, stderr } = nibblemark(["exec", ...NONE, "--", "tr", "a-z", "A-Z"], folder.path, "hello\n");
    assert.is(code, 0, stderr);
    assert.match(nibblemark(["exec", "-q", ...NONE, "--", "true"]).stderr, /wall time/, "the table is no progress");
    assert.is(stdout, "HELLO\n");
    assert.match(stderr, /wall time/);
    assert.match(stderr, /no counter tells of its memory/);
  });

  test("a pipeline of processes is watched whole, every epoch with its measured length", () => {
    const program = counting(1_000_000);
    const flags = [
      "--source",
      "perf",
      "--epoch",
      "5",
      "--export-jsonl",
      file("e.jsonl"),
      "--export-json",
      file("r.json"),
    ];
    const { code, stdout, stderr } = nibblemark(["exec", ...flags, ...sh(program.line)]);
    assert.is(code, 0, stderr);
    assert.is(stdout, program.output);
    const result = JSON.parse(readFileSync(file("r.json"), "utf8"));
    const lines = readFileSync(file("e.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal([result.kind, result.source, result.program], ["watch", "perf", { code: 0, signal: null }]);
    assert.is(result.epochs, lines.length - 1);
    const sum = lines.slice(1).reduce((total, { nativeNs }) => total + nativeNs, 0);
    assert.ok(
      Math.abs(sum - result.nativeNs) < 1000 && sum <= result.wallNs + 20e6,
      `${sum} ${result.nativeNs} ${result.wallNs}`,
    );
    // sha256sum alone takes some ms for 6.9 MB, and seq as much.
    assert.ok(result.onCpuNs > 5e6, `${result.onCpuNs}`);
    assert.ok(result.counters.pageFaults > 100, `${result.counters.pageFaults}`);
  });

  test("its epochs are a trace that replay reads, and the timeline stands alone", () => {
    const flags = [...NONE, "--export-jsonl", file("t.jsonl"), "--export-html", file("t.html")];
    assert.is(nibblemark(["exec", ...flags, ...sh("sleep 0.1")]).code, 0);
    const replayed = nibblemark(["replay", file("t.jsonl")]);
    assert.is(replayed.code, 0, replayed.stderr);
    assert.match(replayed.stdout, /slowdown\s+unknown/, "no source counted anything");
    const html = readFileSync(file("t.html"), "utf8");
    assert.match(html, /<html/);
    assert.not.match(html, /src="http/);
  });

  test("a failed program: exit code 4, its own code in the result, no table", () => {
    const files = ["--export-json", file("f.json"), "--export-html", file("f.html"), "--export-jsonl", file("f.jsonl")];
    const { code, stdout, stderr } = nibblemark(["exec", ...NONE, ...files, ...sh("echo out; exit 7")]);
    assert.is(code, 4);
    assert.is(stdout, "out\n");
    assert.match(stderr, /exit code 7/);
    assert.not.match(stderr, /wall time/);
    const kept = JSON.parse(readFileSync(file("f.json"), "utf8"));
    assert.equal(kept.program, { code: 7, signal: null });
    assert.match(kept.failed, "exit code 7");
    assert.equal(Object.keys(kept), ["schemaVersion", "kind", "failed", "command", "program"]);
    const page = readFileSync(file("f.html"), "utf8");
    assert.match(page, "exit code 7");
    assert.not.match(page, /wall time|predicted|Epochs over time/);
    isBadInput(nibblemark(["replay", file("f.jsonl")]), "exit code 7", "failed");
    assert.is(nibblemark(["exec", ...NONE, ...sh("kill -9 $$")]).code, 4);
    const baseline = nibblemark(["exec", ...NONE, ...files, "--baseline", "2", ...sh("exit 3")]);
    assert.is(baseline.code, 4);
    assert.equal(JSON.parse(readFileSync(file("f.json"), "utf8")).program, { code: 3, signal: null });
    assert.is(readFileSync(file("f.jsonl"), "utf8").trimEnd().split("\n").length, 1);
    assert.match(baseline.stderr, /exit code 3/);
  });

  test("a program that ends within one epoch is counted from its first instruction to its last", () => {
    const flags = ["--source", "perf", "--epoch", "60000", "-o", "json"];
    const { code, stderr } = nibblemark(["exec", ...flags, "--", "true"]);
    assert.is(code, 0, stderr);
    const result = JSON.parse(stderr);
    assert.is(result.epochs, 1);
    assert.ok(result.counters.pageFaults > 20 && result.counters.pageFaults < 2000, `${result.counters.pageFaults}`);
  });

  test("a program that becomes another by exec is watched on, and still stands when delays are injected", () => {
    const line =
      "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exec sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo other'";
    const flags = ["--source", "perf", "--epoch", "2", "--slow", "2", "-o", "json"];
    const { code, stdout, stderr } = nibblemark(["exec", ...flags, ...sh(line)]);
    assert.is(code, 0, stderr);
    assert.is(stdout, "other\n");
    const { injection, onCpuNs } = JSON.parse(stderr);
    assert.ok(onCpuNs > 20e6, `${onCpuNs}`);
    assert.ok(injection.requestedNs > 0.4 * onCpuNs, JSON.stringify(injection));
    assert.ok(Math.abs(injection.achievedNs / injection.requestedNs - 1) < 0.25, JSON.stringify(injection));
  });

  test("baseline runs give a measured slowdown with a range, and leave stdout alone", () => {
    const { code, stdout, stderr } = nibblemark([
      "exec",
      ...NONE,
      "--baseline",
      "3",
      "-o",
      "json",
      ...sh("echo once; sleep 0.05"),
    ]);
    assert.is(code, 0, stderr);
    assert.is(stdout, "once\n");
    const { baseline, measuredSlowdown } = JSON.parse(stderr);
    assert.is(baseline.samplesNs.length, 3);
    assert.ok(measuredSlowdown.value > 0.5 && measuredSlowdown.range[0] <= measuredSlowdown.range[1]);
  });

  test("--bind runs it alone and with its memory on a node, predicted beside measured", () => {
    const { code, stderr } = nibblemark(["exec", ...NONE, "--bind", "node0", "-o", "json", ...sh("sleep 0.05")]);
    assert.is(code, 0, stderr);
    const { bound, baseline } = JSON.parse(stderr);
    assert.is(bound.node, 0);
    assert.is(bound.times.samplesNs.length, 3);
    assert.is(baseline.samplesNs.length, 3);
    assert.ok(bound.slowdown > 0.2 && bound.slowdown < 5, `${bound.slowdown}`);
  });

  test("a storm of forks and orphans ends well", () => {
    const storm = "for i in $(seq 1 150); do (true &) ; done; (sleep 0.2; echo late) & echo done";
    const { code, stdout, stderr } = nibblemark([
      "exec",
      "--source",
      "perf",
      "--slow",
      "2",
      "--epoch",
      "1",
      ...sh(storm),
    ]);
    assert.is(code, 0, stderr);
    assert.match(stdout, /done/);
  });

  test("SIGTERM and Ctrl-C reach the program", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const path = file(signal);
      const line = `trap 'echo ${signal} > ${path}; exit 0' ${signal.slice(3)}; echo ready >&2; while :; do sleep 0.05; done`;
      // A session of its own has no terminal: what we get is handed on.
      const child = spawn(process.execPath, [MAIN, "exec", ...NONE, ...sh(line)], {
        detached: true,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let sent = false;
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        if (!sent && text.includes("ready")) child.kill(signal);
        sent ||= text.includes("ready");
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      assert.is(code, 0);
      assert.is(readFileSync(path, "utf8"), `${signal}\n`);
    }
  });

  test("--duration ends the watch, the program runs to its end", () => {
    const { code, stdout, stderr } = nibblemark([
      "exec",
      ...NONE,
      "--duration",
      "0.1",
      "-o",
      "json",
      ...sh("sleep 0.6; echo end"),
    ]);
    assert.is(code, 0, stderr);
    assert.is(stdout, "end\n");
    const { wallNs } = JSON.parse(stderr);
    assert.ok(wallNs > 0.09e9 && wallNs < 0.5e9, `${wallNs}`);
  });

  test("bad input is one line that names it", () => {
    isBadInput(nibblemark(["exec"]), "PROGRAM", "--");
    isBadInput(nibblemark(["exec", "--", "no-such-program-anywhere"]), "no-such-program-anywhere", "not found");
    isBadInput(nibblemark(["exec", "--", "/etc/passwd"]), "not executable");
    isBadInput(nibblemark(["exec", "--", "/tmp"]), "not executable");
    isBadInput(nibblemark(["exec", "--epoch", "0.05", "--", "true"]), "--epoch", "0.1");
    isBadInput(nibblemark(["exec", "--source", "magic", "--", "true"]), "magic");
    isBadInput(nibblemark(["exec", "--bind", "node63", "--", "true"]), "node63");
    isBadInput(nibblemark(["exec", "--place", "heap=nowhere", "--", "true"]), "nowhere");
    isBadInput(nibblemark(["exec", "--inject", "--slow", "2", "--", "true"]), "--slow");
    isBadInput(nibblemark(["exec", "--inject", ...NONE, "--", "true"]), "--inject", "source none counts nothing");
    isBadInput(nibblemark(["exec", "--near", "much", "--", "true"]), "256MiB or 4GB");
    const twice = ["--export-json", file("same"), "--export-html", `${folder.path}/./same`];
    isBadInput(nibblemark(["exec", ...twice, "--", "true"]), "--export-json", "--export-html");
    isBadInput(nibblemark(["exec", "--delay", "camp", "--", "true"]), "camp");
    isBadInput(nibblemark(["exec", "--export-json", "/proc/nothing/x.json", "--", "true"]), "--export-json");
  });

  test("flags that cannot do anything are told, but for -q", () => {
    const vain = ["--delay", "stall", "--near", "1GB", "--sample", "4", "--stop-by", "signals"];
    const { code, stderr } = nibblemark(["exec", ...NONE, ...vain, "--", "true"]);
    assert.is(code, 0, stderr);
    for (const [i, flag] of vain.entries()) if (i % 2 === 0) assert.match(stderr, `warning: ${flag}`);
    assert.not.match(nibblemark(["exec", "-q", ...NONE, ...vain, "--", "true"]).stderr, /warning/);
    const fits = ["--place", "first-fit", "--near", "1GB", "--slow", "1.01", "--stop-by", "signals"];
    assert.not.match(nibblemark(["exec", ...NONE, ...fits, "--", "true"]).stderr, /warning/);
  });

  test("a file that is no program says so", () => {
    const path = file("text");
    spawnSync("sh", ["-c", `printf '\\001\\002' > ${path}; chmod +x ${path}`]);
    assert.ok(existsSync(path));
    isBadInput(nibblemark(["exec", ...NONE, "--", path]), "no program");
  });
}

test.run();
