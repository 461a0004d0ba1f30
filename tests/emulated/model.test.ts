// There is one definition of a cache: the plugin's model with one set gives the same fetched and written-back lines as
// assembly/memory, for the size C and for 2 C, on a random trace of reads and writes.

import { spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { nodePlatform } from "../../src/platform/node.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { compileProgram } from "./bed.js";

/** The exports of build/memory.wasm that are used here. */
interface MemoryModel {
  readonly memory: WebAssembly.Memory;
  configure(bytes: number): void;
  maxAccesses(): number;
  accessesAt(): number;
  rowsAt(): number;
  run(accesses: number): number;
}

const WAYS = 64;
const LINES = 300;
const ACCESSES = 20_000;
const LINE_BYTES = 64;
const ROW_NUMBERS = 6;

/** Accesses that favour low lines, a third of them writes. */
function trace(): { line: number; writes: number }[] {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: ACCESSES }, () => {
    const line = Math.floor(LINES * random() * random());
    return { line, writes: random() < 1 / 3 ? 1 : 0 };
  });
}

/** Sums of the columns that assembly/memory gives: bytes read beyond 2 C and C, bytes written back beyond 2 C and C. */
async function memoryModel(accesses: ReturnType<typeof trace>): Promise<number[]> {
  const { instance } = await WebAssembly.instantiate(
    (await nodePlatform().wasm("memory")) as BufferSource as ArrayBuffer,
  );
  const model = instance.exports as unknown as MemoryModel;
  const sums = [0, 0, 0, 0];
  model.configure(WAYS * LINE_BYTES);
  for (let first = 0; first < accesses.length; first += model.maxAccesses()) {
    const part = accesses.slice(first, first + model.maxAccesses());
    const rows = part.flatMap(({ line, writes }) => [0, line * LINE_BYTES, (line + 1) * LINE_BYTES, writes]);
    new Float64Array(model.memory.buffer, model.accessesAt(), rows.length).set(rows);
    const count = model.run(part.length);
    const out = new Float64Array(model.memory.buffer, model.rowsAt(), count * ROW_NUMBERS);
    for (let row = 0; row < count; row++)
      for (let i = 0; i < 4; i++) sums[i] += out[row * ROW_NUMBERS + 2 + i] as number;
  }
  return sums;
}

if (need(process.platform === "linux", "Linux", "the model is compiled there") && ensureDebian(["gcc", "libc6-dev"])) {
  test("the plugin's cache is that of assembly/memory", async () => {
    const program = compileProgram("model", process.arch === "x64" ? ["-O2", "-march=x86-64-v2"] : ["-O2"]);
    const accesses = trace();
    const input = accesses.map(({ line, writes }) => `${line} ${writes}\n`).join("");
    const { stdout } = spawnSync(program, [WAYS / 2, WAYS, 2 * WAYS].map(String), { input, encoding: "utf8" });
    const [, one, two] = stdout.split("\n").map((line) => line.split(" ").map((n) => Number(n) * LINE_BYTES));
    const [readTwo, readOne, backTwo, backOne] = await memoryModel(accesses);
    assert.equal(one, [readOne, backOne], "of C");
    assert.equal(two, [readTwo, backTwo], "of 2 C");
    assert.ok((backTwo as number) > 0 && (backOne as number) > (backTwo as number));
  });
}

test.run();
