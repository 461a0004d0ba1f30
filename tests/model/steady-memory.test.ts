// A token leaves nothing behind: over many tokens neither the WebAssembly memory nor what JavaScript keeps grows, and all that
// comes back of a token is its index.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWasm } from "../../src/backends/wasm.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { randomLlava, randomWeights } from "./random-llava.js";

const TOKENS = 400;
/** Bytes of JavaScript's heap that may stay after a collection: compiled code and statistics, not 400 op lists of 30 kB. */
const RETAINED = 400_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("decoding keeps no memory", async () => {
  const backend = await openWasm(nodePlatform(), { variant: "simd", threads: 1 });
  const parts = { backend, quantizer: plainQuantizer, readFloat32: randomWeights };
  const plan = planOf("int4-g32", undefined, "int8");
  const returned: number[] = [];
  const session = openSession(
    await loadModel(randomLlava, parts, { plan, activations: "int8", context: 512 }),
    async (_, submit) => {
      const result = await submit();
      returned.push(result.outputs.reduce((sum, { byteLength }) => sum + byteLength, 0));
      return result;
    },
  );
  for (let i = 0; i < 60; i++) await session.next([i]);
  collect();
  const before = { heap: process.memoryUsage().heapUsed, wasm: backend.residentBytes() };
  for (let i = 0; i < TOKENS; i++) await session.next([i]);
  collect();
  assert.is(backend.residentBytes(), before.wasm);
  const kept = process.memoryUsage().heapUsed - before.heap;
  assert.ok(kept < RETAINED, `${kept} bytes`);
  assert.ok(returned.every((bytes) => bytes === 4));
  await backend.close();
});

test.run();
