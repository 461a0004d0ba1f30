// Node itself under the emulated source: what N more tokens of our decode add to the memories of its WASM modules, compiled by V8, is
// what the op list says (0.1 %). What they add beside those is Node's own: each token's weights sweep the modelled cache, so that the
// heaps which Node and V8 touch again for a token miss anew, 8,000 to 9,000 lines at first and more as keys and values grow, whatever the model's size.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { cacheShape, shapeBytes } from "../../src/counters/emulated/shape.js";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { nodePlatform } from "../../src/platform/node.js";
import { buildPlugin, EMULATOR_PACKAGES, runEmulated, sumOf } from "../emulated/bed.js";
import { NODE_DECODE, nodeDecoder } from "../emulated/node-decode.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";

const LLC_BYTES = 2 ** 22;
const TOKENS = 4;
/** V8 reserves more than 4 GiB for a memory, so that its code needs no checks of bounds. */
const RESERVED_BYTES = 2 ** 32;
/** Node's own lines of a token; a token of this decoder is 351,424. */
const OWN_LINES = 12_000;

/** Lines that miss the largest of the three caches, in the memories of WASM modules and in all, of so many tokens. */
async function linesOf(tokens: number): Promise<{ memories: number; all: number }> {
  const command = [process.execPath, "--single-threaded", "--predictable", NODE_DECODE, "decode", String(tokens)];
  const run = await runEmulated(command, { llcBytes: LLC_BYTES, epochInstructions: 2e7 });
  assert.is(run.status, 0, run.stderr);
  const memories = run.regions.filter(({ sizeBytes }) => sizeBytes >= RESERVED_BYTES);
  let [inside, all] = [0, 0];
  for (const { startAddress, streamLines, strideLines, irregularLines } of run.epochs.flatMap((one) => one.regions)) {
    const lines = streamLines[0] + strideLines[0] + irregularLines[0];
    const isInside = memories.some(
      (m) => startAddress >= m.startAddress && startAddress < m.startAddress + m.sizeBytes,
    );
    inside += isInside ? lines : 0;
    all += lines;
  }
  console.log(`${tokens} tokens: ${inside} of ${all} lines in memories, ${run.seconds.toFixed(0)} s`);
  assert.ok(sumOf(run.epochs, "llcMisses") >= all, "a larger cache misses less");
  return { memories: inside, all };
}

/** Lines of the second half of 2 N tokens: the cache of keys and values that they read grows with their position. */
async function derivedLines(): Promise<number> {
  const model = await openTrafficModel(nodePlatform());
  const { specs, epoch } = nodeDecoder();
  const epochs = Array.from({ length: 2 * TOKENS }, (_, position) => epoch(position, 1));
  const llcBytes = shapeBytes(cacheShape(LLC_BYTES))[2] as number;
  const record = model.record({ specs, epochs, llcBytes, warmPasses: 0 });
  const misses = record.epochs.slice(TOKENS).flatMap((ops) => ops.flatMap((op) => op.misses));
  return misses.reduce((sum, m) => sum + m.chaseLines[1] + m.strideLines[1] + m.streamLines[1], 0);
}

const isHere = process.platform === "linux" && process.arch === "x64";
if (need(isHere, "Linux on x86-64", "QEMU user mode runs there") && ensureDebian(EMULATOR_PACKAGES)) {
  buildPlugin();

  test("the lines of 2 N tokens less those of N", async () => {
    const derived = await derivedLines();
    const [few, many] = [await linesOf(TOKENS), await linesOf(2 * TOKENS)];
    const counted = many.memories - few.memories;
    const off = (counted / derived - 1) * 100;
    const own = (many.all - few.all - counted) / TOKENS;
    console.log(`${TOKENS} tokens more: ${counted} lines, ${derived.toFixed(0)} derived, ${off.toFixed(4)} %`);
    console.log(`Node's own: ${own.toFixed(0)} lines a token, ${((own * TOKENS * 100) / derived).toFixed(2)} %`);
    assert.ok(Math.abs(off) <= 0.1, `${off} %`);
    assert.ok(own >= 0 && own <= OWN_LINES, `${own} lines a token beside the memories`);
  });
}

test.run();
