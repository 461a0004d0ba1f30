// Counters around the epochs of `bench`, and the delay models that need them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { needEvents, needNative } from "../support/native.js";
import { nibblemark } from "./nibblemark.js";

const addon = needNative();
const SMALL = [
  "bench",
  "--test",
  "tg4",
  "--target",
  "wasm-simd/1t",
  "--rounds",
  "2",
  "--no-quality",
  "--host",
  "default",
];

if (addon && needEvents(addon)) {
  test("every epoch has what this machine counts, threads included", () => {
    const { code, stdout, stderr } = nibblemark([...SMALL, "-o", "json"]);
    assert.is(code, 0, stderr);
    const { cases } = JSON.parse(stdout) as BenchResult;
    const [entry] = cases;
    if (entry?.state !== "measured") throw new Error("nothing was measured");
    for (const { counters, nativeNs, source } of entry.epochs) {
      assert.is(source, "perf");
      assert.ok(
        (counters.taskClockNs ?? 0) > 0 && (counters.taskClockNs ?? 0) < 20 * nativeNs + 1e6,
        JSON.stringify(counters),
      );
    }
  });

  test("a delay model whose events are not counted here is unavailable, before anything is measured", () => {
    const started = Date.now();
    const { code, stderr } = nibblemark([...SMALL, "--delay", "camp"]);
    assert.is(code, 3, stderr);
    assert.match(stderr, /delay model camp is unavailable/);
    assert.ok(Date.now() - started < 30_000);
    const stall = nibblemark([...SMALL, "--delay", "stall", "-o", "json"]);
    assert.ok(stall.code === 0 || (stall.code === 3 && /does not count/.test(stall.stderr)), stall.stderr);
  });
}

test.run();
