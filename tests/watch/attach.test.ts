// `nibblemark attach`: a running program is watched and left as it was; what cannot be watched is refused.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isBadInput, newFolder, nibblemark } from "../cli/nibblemark.js";
import { needNative } from "../support/native.js";
import { cgroupFolders, leftCgroups, MAIN } from "./harness.js";

/** A program with two threads of its own that keeps a core busy and prints what it counted. */
const BUSY = `
const { Worker, isMainThread } = require("node:worker_threads");
if (isMainThread) new Worker(__filename, { eval: false }).unref();
let n = 0; const end = Date.now() + 60000;
function turn() { const t = Date.now() + 20; while (Date.now() < t) n++; if (Date.now() < end) setTimeout(turn, 1); }
turn();
`;

if (needNative()) {
  const folder = newFolder();
  const path = `${folder.path}/busy.cjs`;
  spawnSync("tee", [path], { input: BUSY, stdio: ["pipe", "ignore", "ignore"] });
  let busy: ChildProcess;
  test.before.each(async () => {
    busy = spawn(process.execPath, [path], { stdio: "ignore" });
    await sleep(300);
  });
  test.after.each(() => {
    busy.kill("SIGKILL");
  });
  test.after(() => folder.remove());
  const state = () => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${busy.pid}/status`, "utf8"))?.[1];
  const home = () => readFileSync(`/proc/${busy.pid}/cgroup`, "utf8");

  test("threads and time of a running program are told, and it runs on", () => {
    const { code, stdout, stderr } = nibblemark([
      "attach",
      String(busy.pid),
      "--source",
      "perf",
      "--duration",
      "1.5",
      "-o",
      "json",
    ]);
    assert.is(code, 0, stderr);
    const result = JSON.parse(stdout);
    assert.ok(result.onCpuNs > 0.1e9, `${result.onCpuNs}`);
    assert.ok(result.threads >= 2);
    assert.is(result.program.code, null);
    assert.is.not(state(), "T");
  });

  test("slowed by a factor it stands still as long as was asked for, and its cgroup is as before", () => {
    const before = home();
    const flags = ["--source", "none", "--duration", "3", "--slow", "1.5", "--epoch", "5", "-o", "json"];
    const { code, stdout, stderr } = nibblemark(["attach", String(busy.pid), ...flags]);
    assert.is(code, 0, stderr);
    const { injection } = JSON.parse(stdout);
    assert.ok(injection.stops > 3, `${injection.stops}`);
    assert.ok(injection.requestedNs > 5e6, `${injection.requestedNs}`);
    assert.is(home(), before);
    assert.equal(leftCgroups(), []);
    assert.is.not(state(), "T");
  });

  /** Starts `attach` and waits until it watches: its file of epochs appears then. */
  async function watching(name: string) {
    const file = `${folder.path}/${name}.jsonl`;
    const args = [MAIN, "attach", String(busy.pid), "--source", "none", "--export-jsonl", file];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    const out = { text: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out.text += text;
    });
    const code = new Promise<number | null>((resolve) => child.on("close", resolve));
    for (let waited = 0; waited < 30_000 && !existsSync(file); waited += 20) await sleep(20);
    await sleep(300);
    return { child, code, out };
  }

  test("Ctrl-C ends the watch with its table, not the program", async () => {
    const { child, code, out } = await watching("interrupted");
    child.kill("SIGINT");
    assert.is(await code, 0);
    assert.match(out.text, /wall time/);
    assert.is.not(state(), undefined);
  });

  test("a program that ends while it is watched ends the watch", async () => {
    const { code } = await watching("ended");
    busy.kill("SIGKILL");
    assert.is(await code, 0);
  });

  test("what cannot be watched is refused in one line", async () => {
    const dead = spawnSync("true");
    isBadInput(nibblemark(["attach", String(dead.pid)]), "no such process");
    isBadInput(nibblemark(["attach"]), "PID");
    isBadInput(nibblemark(["attach", "me"]), 'PID: "me" is no pid');
    isBadInput(nibblemark(["attach", "2"]), /kernel|no such process/);
    isBadInput(nibblemark(["attach", String(busy.pid), "--epoch", "0"]), "--epoch");
    const parent = spawn("sh", ["-c", "sleep 0 & exec sleep 20"], { stdio: "ignore" });
    await sleep(500);
    const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8").trim();
    if (children !== "") isBadInput(nibblemark(["attach", children]), "zombie");
    parent.kill();
  });

  /** A shell line in a session of its own that attaches to the shell; our own watchdog lets it run on where it froze itself. */
  async function fromInside(line: string) {
    const inner = `"${process.execPath}" "${MAIN}" attach $T --source none --duration 0.3`;
    const stdio = ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"];
    const child = spawn("sh", ["-c", `export T=$$; ${line.replace("ATTACH", inner)}; exit $?`], {
      detached: true,
      stdio,
    });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (part: string) => {
        text[name] += part;
      });
    }
    let thawed = false;
    const rescue = setInterval(() => {
      thawed = true;
      for (const folder of cgroupFolders()) writeFileSync(`${folder}/cgroup.freeze`, "0");
      process.kill(-(child.pid as number), "SIGCONT");
    }, 8000);
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearInterval(rescue);
    return { code, thawed, ...text };
  }

  test("nothing of its own is stopped: not its parent, not what is above, by cgroup or by signals", async () => {
    for (const method of ["cgroup", "signals"]) {
      for (const how of ["--slow 2", "--inject"]) {
        const parent = await fromInside(`ATTACH ${how} --stop-by ${method}`);
        assert.is(parent.thawed, false);
        isBadInput(parent, "nibblemark's own parent", "would stop itself");
      }
      const above = await fromInside(`sh -c 'ATTACH --slow 2 --stop-by ${method}; exit $?'`);
      assert.is(above.thawed, false);
      isBadInput(above, "an ancestor of nibblemark's own", "would stop itself");
    }
    assert.equal(leftCgroups(), []);
  });

  test("to predict only, a process above it is watched without its own threads", async () => {
    const { code, stdout, stderr } = await fromInside("ATTACH -o json");
    assert.is(code, 0, stderr);
    assert.ok(JSON.parse(stdout).threads <= 1, stdout);
  });

  if (process.getuid?.() === 0) {
    test("another user's process is refused", async () => {
      const asNobody = (script: string) =>
        spawnSync(
          "setpriv",
          ["--reuid=65534", "--regid=65534", "--clear-groups", "--", process.execPath, ...script.split(" ")],
          { encoding: "utf8" },
        );
      if (asNobody("--version").status !== 0) return console.log("skipped: no user to try it as");
      const { status, stdout, stderr } = asNobody(`${MAIN} attach ${busy.pid}`);
      if (/EACCES|permission denied/i.test(stderr))
        return console.log("skipped: the checkout is closed to other users");
      isBadInput({ code: status, stdout, stderr }, "another user");
    });
  }
}

test.run();
