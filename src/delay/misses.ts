// From op lists to what misses the cache: feeds the logical accesses of each epoch to build/memory.wasm, whose LRU stack
// lives on from epoch to epoch, and sorts its answer by op and tensor.

import type { OpMisses, TensorMiss, TrafficRecord, TrafficRun } from "../core/delay.js";
import type { Op, TensorSpec } from "../core/op.js";
import { type Access, opAccesses, opWork } from "../core/traffic.js";
import { LINE_BYTES } from "../core/units.js";

/** Exports of build/memory.wasm. */
export interface MemoryExports {
  readonly memory: WebAssembly.Memory;
  maxAccesses(): number;
  accessesAt(): number;
  rowsAt(): number;
  configure(llcBytes: number): void;
  run(accesses: number): number;
}

/** f64 in a row: access, tensor, bytes read (low, high), bytes written back (low, high). */
const ROW_NUMBERS = 6;

interface Row {
  readonly access: number;
  readonly tensor: number;
  readonly read: readonly [number, number];
  readonly back: readonly [number, number];
}

/** Runs accesses through the cache; `take` gets the rows with `access` counted from the first one. */
function stream(cache: MemoryExports, accesses: readonly Access[], take: (row: Row) => void): void {
  const chunk = cache.maxAccesses();
  for (let first = 0; first < accesses.length; first += chunk) {
    const part = accesses.slice(first, first + chunk);
    const input = new Float64Array(cache.memory.buffer, cache.accessesAt(), part.length * 4);
    part.forEach(({ tensor, offset, bytes, kind }, i) => {
      input.set([tensor, offset, offset + bytes, kind === "write" ? 1 : 0], i * 4);
    });
    const count = cache.run(part.length);
    const rows = new Float64Array(cache.memory.buffer, cache.rowsAt(), count * ROW_NUMBERS);
    for (let at = 0; at < rows.length; at += ROW_NUMBERS) {
      take({
        access: first + rows[at],
        tensor: rows[at + 1],
        read: [rows[at + 2], rows[at + 3]],
        back: [rows[at + 4], rows[at + 5]],
      });
    }
  }
}

const lines = ([low, high]: readonly [number, number]): [number, number] => [low / LINE_BYTES, high / LINE_BYTES];
const NONE: readonly [number, number] = [0, 0];

function toMiss(row: Row, access: Access): TensorMiss {
  const read = lines(row.read);
  return {
    tensor: row.tensor,
    chaseLines: access.pattern === "chase" ? read : NONE,
    strideLines: access.pattern === "stride" ? read : NONE,
    streamLines: access.pattern === "stream" ? read : NONE,
    writtenLines: lines(row.back),
  };
}

function recordEpoch(cache: MemoryExports, ops: readonly Op[], specs: readonly TensorSpec[]): OpMisses[] {
  const accesses: Access[] = [];
  const opOf: number[] = [];
  ops.forEach((op, index) => {
    for (const access of opAccesses(op, specs)) {
      accesses.push(access);
      opOf.push(index);
    }
  });
  const misses: TensorMiss[][] = ops.map(() => []);
  stream(cache, accesses, (row) => misses[opOf[row.access]].push(toMiss(row, accesses[row.access])));
  return ops.map((op, index) => ({ ...opWork(op, specs), misses: misses[index] }));
}

/** Misses of a run; the cache is emptied first, then sees the whole run `warmPasses` times, then counts. */
export function recordMisses(cache: MemoryExports, run: TrafficRun): TrafficRecord {
  cache.configure(run.llcBytes);
  for (let pass = 0; pass < run.warmPasses; pass++) {
    for (const ops of run.epochs) recordEpoch(cache, ops, run.specs);
  }
  const epochs = run.epochs.map((ops) => recordEpoch(cache, ops, run.specs));
  return { specs: run.specs, llcBytes: run.llcBytes, epochs };
}
