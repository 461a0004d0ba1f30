// From op lists to what misses the cache: feeds the logical accesses of each epoch to build/memory.wasm, whose LRU stack
// lives on from epoch to epoch, and sorts its answer by op and tensor.

import type { OpMisses, TensorMiss, TrafficRecord, TrafficRun } from "../core/delay.js";
import type { AccessPattern } from "../core/host.js";
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

/** f64 in an access: tensor, first byte, byte past the end, 1 = write. */
const ACCESS_NUMBERS = 4;
/** f64 in a row: access, tensor, bytes read (low, high), bytes written back (low, high). */
const ROW_NUMBERS = 6;

const NONE: readonly [number, number] = [0, 0];

function lines(rows: Float64Array, at: number): readonly [number, number] {
  const high = rows[at + 1];
  return high === 0 && rows[at] === 0 ? NONE : [rows[at] / LINE_BYTES, high / LINE_BYTES];
}

function toMiss(rows: Float64Array, at: number, pattern: AccessPattern): TensorMiss {
  const read = lines(rows, at + 2);
  return {
    tensor: rows[at + 1],
    chaseLines: pattern === "chase" ? read : NONE,
    strideLines: pattern === "stride" ? read : NONE,
    streamLines: pattern === "stream" ? read : NONE,
    writtenLines: lines(rows, at + 4),
  };
}

/** Runs accesses through the cache; `take` gets each access that missed or evicted something. */
function stream(cache: MemoryExports, accesses: readonly Access[], take: (access: number, miss: TensorMiss) => void) {
  const chunk = cache.maxAccesses();
  for (let first = 0; first < accesses.length; first += chunk) {
    const part = accesses.slice(first, first + chunk);
    const input = new Float64Array(cache.memory.buffer, cache.accessesAt(), part.length * ACCESS_NUMBERS);
    part.forEach(({ tensor, offset, bytes, kind }, i) => {
      const at = i * ACCESS_NUMBERS;
      input[at] = tensor;
      input[at + 1] = offset;
      input[at + 2] = offset + bytes;
      input[at + 3] = kind === "write" ? 1 : 0;
    });
    const count = cache.run(part.length);
    const rows = new Float64Array(cache.memory.buffer, cache.rowsAt(), count * ROW_NUMBERS);
    for (let at = 0; at < rows.length; at += ROW_NUMBERS) {
      const access = first + rows[at];
      take(access, toMiss(rows, at, accesses[access].pattern));
    }
  }
}

function recordEpoch(cache: MemoryExports, ops: readonly Op[], specs: readonly TensorSpec[]): OpMisses[] {
  const accesses: Access[] = [];
  const opOf: number[] = [];
  for (let index = 0; index < ops.length; index++) {
    for (const access of opAccesses(ops[index], specs)) {
      accesses.push(access);
      opOf.push(index);
    }
  }
  const recorded = ops.map((op) => {
    const { family, macs } = opWork(op, specs);
    return { family, macs, misses: [] as TensorMiss[] };
  });
  stream(cache, accesses, (access, miss) => recorded[opOf[access]].misses.push(miss));
  return recorded;
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
