// Which accesses miss: cases worked out by hand, then random sequences against a slow twin that keeps a plain list.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { MemoryExports } from "../../src/delay/misses.js";
import { random } from "./fixture.js";

const bytes = readFileSync(new URL("../../memory.wasm", import.meta.url));
const cache = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as MemoryExports;

type Touch = readonly [tensor: number, first: number, end: number, write?: boolean];
/** access, tensor, read low, read high, written back low, written back high */
type Row = readonly number[];

function run(touches: readonly Touch[]): Row[] {
  const input = new Float64Array(cache.memory.buffer, cache.accessesAt(), touches.length * 4);
  touches.forEach(([tensor, first, end, write], i) => {
    input.set([tensor, first, end, write ? 1 : 0], i * 4);
  });
  const count = cache.run(touches.length);
  const rows = new Float64Array(cache.memory.buffer, cache.rowsAt(), count * 6);
  return Array.from({ length: count }, (_, i) => [...rows.slice(i * 6, i * 6 + 6)]);
}

interface Extent {
  tensor: number;
  first: number;
  end: number;
  dirtyLow: number;
  dirtyHigh: number;
  inHigh: boolean;
}

/** The same rules over a list, newest first, sums taken anew each time. */
function slowTwin(touches: readonly Touch[], size: number): Row[] {
  let list: Extent[] = [];
  const rows: Row[] = [];
  touches.forEach(([tensor, first, end, write], access) => {
    const own = end - first;
    const next: Extent[] = [];
    const sum = { low: own, high: own, dirtyLow: 0, dirtyHigh: 0, backLow: 0, backHigh: 0, depth: 0 };
    for (const extent of list) {
      const from = Math.max(first, extent.first);
      const to = Math.min(end, extent.end);
      if (extent.tensor !== tensor || from >= to) {
        next.push(extent);
        sum.depth += extent.end - extent.first;
        continue;
      }
      const share = (to - from) / (extent.end - extent.first);
      const hitLow = sum.depth + own <= 2 * size;
      const hitHigh = sum.depth + own <= size && extent.inHigh;
      if (hitLow) sum.low -= to - from;
      if (hitHigh) sum.high -= to - from;
      sum[hitLow ? "dirtyLow" : "backLow"] += extent.dirtyLow * share;
      sum[hitHigh ? "dirtyHigh" : "backHigh"] += extent.dirtyHigh * share;
      const rest = (a: number, b: number) => {
        const part = (b - a) / (extent.end - extent.first);
        const dirty = { dirtyLow: extent.dirtyLow * part, dirtyHigh: extent.dirtyHigh * part };
        if (b > a) next.push({ ...extent, first: a, end: b, ...dirty });
      };
      rest(to, extent.end);
      rest(extent.first, from);
      sum.depth += extent.end - extent.first - (to - from);
    }
    if (sum.high > 0 || sum.backLow > 0 || sum.backHigh > 0) {
      rows.push([access, tensor, sum.low, sum.high, sum.backLow, sum.backHigh]);
    }
    const dirtyLow = write ? own : sum.dirtyLow;
    list = [{ tensor, first, end, dirtyLow, dirtyHigh: write ? own : sum.dirtyHigh, inHigh: true }, ...next];
    const inside = (limit: number) => {
      let left = limit;
      return list.map((extent) => {
        left -= extent.end - extent.first;
        return left >= 0;
      });
    };
    const high = inside(size);
    const low = inside(2 * size);
    for (let i = list.length - 1; i >= 0; i--) {
      const extent = list[i];
      if (high[i] || !extent.inHigh) continue;
      if (extent.dirtyHigh > 0) rows.push([access, extent.tensor, 0, 0, 0, extent.dirtyHigh]);
      Object.assign(extent, { dirtyHigh: 0, inHigh: false });
    }
    for (let i = list.length - 1; i >= 0; i--) {
      if (!low[i] && list[i].dirtyLow > 0) rows.push([access, list[i].tensor, 0, 0, list[i].dirtyLow, 0]);
    }
    list = list.filter((_, i) => low[i]);
  });
  return rows;
}

test("a first touch misses, a second within the cache hits", () => {
  cache.configure(100);
  assert.equal(
    run([
      [0, 0, 40],
      [0, 0, 40],
      [1, 0, 60],
      [0, 0, 40],
    ]),
    [
      [0, 0, 40, 40, 0, 0],
      [2, 1, 60, 60, 0, 0],
    ],
  );
});

test("between one and two cache sizes the answer is a range, beyond two a miss", () => {
  cache.configure(100);
  // distance 40 + 61 = 101, then 40 + 161 = 201
  assert.equal(
    run([
      [0, 0, 40],
      [1, 0, 61],
      [0, 0, 40],
      [2, 0, 161],
      [0, 0, 40],
    ]),
    [
      [0, 0, 40, 40, 0, 0],
      [1, 1, 61, 61, 0, 0],
      [2, 0, 0, 40, 0, 0],
      [3, 2, 161, 161, 0, 0],
      [4, 0, 40, 40, 0, 0],
    ],
  );
});

test("writes fetch what misses and are written back once, when they leave", () => {
  cache.configure(50);
  assert.equal(
    run([
      [0, 0, 30, true],
      [0, 0, 30, true],
      [1, 0, 30],
      [2, 0, 60],
    ]),
    [
      [0, 0, 30, 30, 0, 0],
      [2, 1, 30, 30, 0, 0],
      [2, 0, 0, 0, 0, 30], // 30 + 30 > 50
      [3, 2, 60, 60, 0, 0],
      [3, 0, 0, 0, 30, 0], // 60 + 30 + 30 > 100
    ],
  );
});

test("a growing cache misses only its new row", () => {
  cache.configure(100);
  assert.equal(
    run([
      [0, 0, 10, true],
      [0, 0, 10],
      [0, 10, 20, true],
      [0, 0, 20],
    ]),
    [
      [0, 0, 10, 10, 0, 0],
      [2, 0, 10, 10, 0, 0],
    ],
  );
});

test("state lasts from call to call", () => {
  cache.configure(100);
  assert.is(run([[7, 0, 50]]).length, 1);
  assert.is(run([[7, 0, 50]]).length, 0);
});

test("without a cache everything misses and every write goes back at once", () => {
  cache.configure(0);
  assert.equal(
    run([
      [0, 0, 8, true],
      [0, 0, 8],
    ]),
    [
      [0, 0, 8, 8, 0, 0],
      [0, 0, 0, 0, 0, 8],
      [0, 0, 0, 0, 8, 0],
      [1, 0, 8, 8, 0, 0],
    ],
  );
});

test("random sequences agree with the slow twin", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed);
    const touches = Array.from({ length: 500 }, (): Touch => {
      const tensor = Math.floor(next() * 8);
      const first = Math.floor(next() * 6) * 8;
      return [tensor, first, first + 8 * (1 + Math.floor(next() * 4)), next() < 0.3];
    });
    const size = Math.floor(next() * 300);
    cache.configure(size);
    const fast = run(touches);
    const slow = slowTwin(touches, size);
    assert.is(fast.length, slow.length, `seed ${seed}: rows`);
    for (let i = 0; i < fast.length; i++) {
      const near = fast[i].every((value, k) => Math.abs(value - slow[i][k]) < 1e-9);
      assert.ok(near, `seed ${seed}, row ${i}: ${fast[i]} is not ${slow[i]}`);
    }
  }
});

test.run();
