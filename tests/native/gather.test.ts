// Counters read over several epochs in one call: as many epochs as fit, each with the time at which it was read, their sum the whole; the
// call ends with the program.

import { spawn } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { COUNT_WORDS } from "../../src/core/native.js";
import { needEvents, needNative } from "../support/native.js";

const addon = needNative();
const MS = 1e6;
/** PERF_COUNT_SW_TASK_CLOCK */
const TASK_CLOCK = new BigUint64Array([1n, 0n, 1n, 0n, 0n]);

if (addon && needEvents(addon)) {
  const { CounterSet, pidfdOpen, closeFd } = addon;
  const opened: (() => Promise<void>)[] = [];
  test.after.each(async () => {
    for (const close of opened.splice(0)) await close();
  });
  function watched(line: string) {
    const child = spawn("sh", ["-c", line], { stdio: "ignore" });
    const pid = child.pid as number;
    const set = new CounterSet(TASK_CLOCK);
    assert.is(set.attach(pid, -1, new Int32Array(1)), 1);
    const pidfd = pidfdOpen(pid);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    // Waits for the child's end: the signal that tells of it would end the next test's call early.
    const close = async () => {
      set.close();
      closeFd(pidfd);
      child.kill("SIGKILL");
      await ended;
    };
    opened.push(close);
    return { set, pidfd };
  }

  test("epochs follow one another, and what they count adds up", () => {
    const { set, pidfd } = watched("while :; do :; done");
    const out = new BigUint64Array(64 * COUNT_WORDS);
    const times = new Float64Array(65);
    const startNs = Number(process.hrtime.bigint());
    set.read(out);
    const count = set.gather(pidfd, 2 * MS, 40 * MS, out, times);
    const endNs = Number(process.hrtime.bigint());
    assert.ok(count >= 1 && count <= 20, `${count}`);
    assert.is(times[0], 0);
    const lengths = Array.from(
      { length: count },
      (_, i) => (times[i + 1] as number) - (i > 0 ? (times[i] as number) : startNs),
    );
    assert.ok(
      lengths.every((ns) => ns >= 1.9 * MS),
      lengths.join(" "),
    );
    assert.ok((times[count] as number) <= endNs);
    const counted = Array.from({ length: count }, (_, i) => Number(out[i * COUNT_WORDS])).reduce((a, b) => a + b, 0);
    const enabled = Array.from({ length: count }, (_, i) => Number(out[i * COUNT_WORDS + 1])).reduce(
      (a, b) => a + b,
      0,
    );
    assert.ok(counted <= 1.05 * (endNs - startNs) && enabled <= 1.05 * (endNs - startNs));
  });

  test("no more epochs than fit are read", () => {
    const { set, pidfd } = watched("while :; do :; done");
    const times = new Float64Array(4);
    assert.is(set.gather(pidfd, MS, 30_000 * MS, new BigUint64Array(8 * COUNT_WORDS), times), 3);
    assert.is(set.gather(pidfd, MS, 30_000 * MS, new BigUint64Array(2 * COUNT_WORDS), new Float64Array(9)), 2);
  });

  test("the program's end ends the wait", () => {
    const { set, pidfd } = watched("sleep 0.7");
    const times = new Float64Array(1001);
    const startNs = Number(process.hrtime.bigint());
    const count = set.gather(pidfd, 10 * MS, 60_000 * MS, new BigUint64Array(1000 * COUNT_WORDS), times);
    assert.is(times[0], 1);
    assert.ok(count < 1000 && Number(process.hrtime.bigint()) - startNs < 50_000 * MS);
  });
}

test.run();
