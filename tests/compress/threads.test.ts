// Threads change no bits: the same tasks on one thread and on two, many times over, while a third keeps the cores busy.

import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CompressModule } from "../../src/compress/kernels.js";
import { noise, openBuild } from "./module.js";

const [rows, n] = [96, 320];
const x = Float32Array.from({ length: rows * n }, noise(3));

/** A factor, a solution and an inverse factor of the same Gram matrix. */
function results({ kernels, arena }: CompressModule): Uint8Array {
  const mark = arena.mark();
  const at = arena.place(x);
  const [g, h, b] = [arena.zeros(n * n * 8), arena.zeros(n * n * 8), arena.zeros(n * n * 8)];
  const u = arena.alloc(n * n * 4);
  kernels.gramAdd(at, rows, n, g);
  kernels.crossAdd(at, at, rows, n, n, b);
  kernels.mirror(g, n);
  kernels.addDiagonal(g, n, 1);
  arena.bytes(h, n * n * 8).set(arena.bytes(g, n * n * 8).slice());
  assert.is(kernels.cholesky(g, n), -1);
  kernels.solve(g, n, b, n);
  assert.is(kernels.inverseFactor(h, n, u), -1);
  const bytes = new Uint8Array(n * n * 12);
  bytes.set(arena.bytes(b, n * n * 8));
  bytes.set(arena.bytes(u, n * n * 4), n * n * 8);
  arena.release(mark);
  return bytes;
}

test("one thread, two threads and the scalar build give the same bits", async () => {
  const busy = [0, 1].map(() => new Worker("for (;;) Math.random();", { eval: true }));
  const modules = await Promise.all([openBuild("simd", n), openBuild("threads", n), openBuild("scalar", n)]);
  const [single, pair, scalar] = modules;
  const expected = results(single);
  assert.equal(results(scalar), expected);
  for (let round = 0; round < 12; round++) assert.equal(results(pair), expected, `round ${round}`);
  await Promise.all(modules.map((module) => module.close()));
  await Promise.all(busy.map((worker) => worker.terminate()));
});

test.run();
