// The second embeddable module: cache, paging and migration machines in at most 64 KiB, with no imports and no vectors.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { memoryBytes, memoryModule, openMachine } from "./machine.js";

test("at most 64 KiB and no imports", () => {
  assert.ok(memoryBytes.byteLength <= 65536, `${memoryBytes.byteLength} bytes`);
  assert.equal(WebAssembly.Module.imports(memoryModule), []);
});

test("counts out of range are refused by number", () => {
  const machine = openMachine();
  assert.is(machine.configurePages(0, 1), 1);
  assert.is(machine.configurePages(2 ** 22 + 1, 1), 1);
  assert.is(machine.configurePages(1, 17), 2);
  new Float64Array(machine.memory.buffer, machine.pageParamsAt(), 18)[11] = -1;
  assert.is(machine.configurePages(1, 1), 3);
});

test.run();
