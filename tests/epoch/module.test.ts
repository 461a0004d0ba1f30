// The epoch module is embeddable: small, alone, in one page, and it refuses counts that do not fit.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { epoch, epochModule, moduleBytes } from "./solver.js";

test("at most 8 KiB, no imports, one page of memory", () => {
  assert.ok(moduleBytes.byteLength <= 8192, `${moduleBytes.byteLength} bytes`);
  assert.equal(WebAssembly.Module.imports(epochModule), []);
  assert.is(epoch.memory.buffer.byteLength, 65536);
});

test("counts out of range are refused by number", () => {
  assert.is(epoch.evaluate(0, 0, 0), 1);
  assert.is(epoch.evaluate(17, 0, 0), 1);
  assert.is(epoch.evaluate(1, 33, 0), 2);
  assert.is(epoch.evaluate(1, 0, epoch.maxStages(1) + 1), 3);
  assert.is(epoch.evaluate(1, 0, 0), 0);
});

test("all regions lie inside the page", () => {
  assert.ok(epoch.stagesAt() + 2560 * 8 <= 65536);
  assert.ok(epoch.curvesAt() + 768 * 16 <= 65536);
  assert.ok(epoch.eachAt() + 256 * 64 <= 65536);
  assert.ok(epoch.resultAt() + 72 <= 65536);
});

test.run();
