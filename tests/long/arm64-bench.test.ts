// `bench` on a machine that counts: inside the arm64 machine its epochs have the unit's cycles and instructions, its table tells instructions
// a cycle and derived reads by phase, and the delay models that need miss events say that the machine has none.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { boot } from "../arm64/machine.js";
import { MACHINE_PACKAGES } from "../arm64/setup.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: BenchResult | null;
}

/** Of a machine that shares its cores. */
const LIMIT_MS = 540_000;

if (
  need(process.platform === "linux", "Linux", "the machine is put together there") &&
  ensureDebian(MACHINE_PACKAGES)
) {
  const { told, seconds } = boot("guest-bench.js", LIMIT_MS);
  console.log(`the arm64 machine ran for ${seconds.toFixed(1)} s`);
  const of = (delay: string) => told.get(delay) as Run;

  test("epochs hold exact counts, and the table tells them by phase", () => {
    const { status, stdout, stderr, result } = of("traffic");
    assert.is(status, 0, stderr);
    assert.match(stdout, /instructions a cycle +cores busy +derived reads/);
    for (const phase of ["pp4 +prefill", "tg2 +decode"]) {
      assert.match(stdout, new RegExp(`${phase} +1\\.00 `), "a cycle is an instruction here");
    }
    const epochs = (result?.cases ?? []).flatMap((one) => (one.state === "measured" ? one.epochs : []));
    assert.ok(epochs.length >= 2);
    for (const { counters, source } of epochs) {
      assert.is(source, "perf");
      assert.ok((counters.instructions ?? 0) > 1e6, JSON.stringify(counters));
      assert.ok(Math.abs((counters.instructions ?? 0) / (counters.cycles ?? 1) - 1) < 0.01, JSON.stringify(counters));
      assert.not.ok("llcMisses" in counters, "its miss events read 0");
    }
  });

  test("delay models that need miss events are unavailable, with the events named", () => {
    for (const [delay, event] of [
      ["stall", "stallsL3Miss"],
      ["camp", "stallsMemAny"],
    ] as const) {
      const { status, stderr } = of(delay);
      assert.is(status, 3, stderr);
      assert.match(stderr, new RegExp(`delay model ${delay} is unavailable.*${event}`));
    }
  });
}

test.run();
