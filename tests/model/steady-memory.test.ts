// A token leaves nothing behind: over many tokens neither the WebAssembly memory nor what JavaScript keeps grows, and all that
// comes back of a token is its index.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWasm } from "../../src/backends/wasm.js";
import type { Op } from "../../src/core/op.js";
import type { Backend } from "../../src/core/ports.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession, type Session } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { randomLlava, randomWeights } from "./random-llava.js";

const TOKENS = 150;
const RUNS = 3;
/**
 * Bytes of JavaScript's heap that may stay after a collection in the best of the runs: statistics, not 150 op lists of 30 kB. Code that the
 * engine compiles, whenever its own thread comes to it, stays in one run only.
 */
const RETAINED = 100_000;

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
  const resident = backend.residentBytes();
  const heapBytes = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const kept: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const before = heapBytes();
    for (let i = 0; i < TOKENS; i++) await session.next([i]);
    kept.push(heapBytes() - before);
  }
  assert.is(backend.residentBytes(), resident);
  assert.ok(Math.min(...kept) < RETAINED, `${kept.join(", ")} bytes`);
  assert.ok(returned.every((bytes) => bytes === 4));
  await backend.close();
});

test("without a hook all tokens share one list of ops, and say what fresh lists say; with one each keeps its own", async () => {
  const backend = await openWasm(nodePlatform(), { variant: "simd", threads: 1 });
  const lists: (readonly Op[])[] = [];
  const spied: Backend = {
    ...backend,
    submit(ops) {
      lists.push(ops);
      return backend.submit(ops);
    },
  };
  const parts = { backend: spied, quantizer: plainQuantizer, readFloat32: randomWeights };
  const loaded = await loadModel(randomLlava, parts, { plan: planOf("int4-g32"), activations: "int8", context: 64 });
  const tokens = [1, 77, 500, 4, 12, 999];
  const logits = async (session: Session) => {
    const rows: Float32Array[] = [];
    for (const token of tokens) rows.push(await session.logits([token]));
    session.rewind(2);
    rows.push(await session.logits([321]));
    return rows;
  };
  const moved = await logits(openSession(loaded));
  const plain = lists.splice(0);
  // The image token has rows of its own to copy.
  assert.is(new Set(plain).size, 2);
  const fresh = await logits(openSession(loaded, (_, submit) => submit()));
  assert.is(new Set(lists).size, tokens.length + 1);
  assert.equal(
    lists.map((ops) => ops.find((op) => op.kind === "attention")?.context),
    [1, 2, 3, 4, 5, 6, 3],
  );
  assert.equal(moved, fresh);
  await backend.close();
});

test.run();
