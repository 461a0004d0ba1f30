// What the workers of one run share: gradients and sums of every shard, a barrier, and the wish to stop.
// Two sets of slots are used in turn, so one barrier a step is enough.

import type { ShardSums } from "./model.js";

const sumFields = [
  ...(["loss", "weight", "textLoss", "textWeight", "answerLoss", "answerWeight", "answerHits"] as const),
  ...(["positions", "visionRows"] as const),
] as const;

/** Shared buffers; plain data that can be handed to a worker. */
export interface ExchangeBuffers {
  /** i32: arrived workers, generation, wish to stop, agreed stop of even and odd steps. */
  readonly control: SharedArrayBuffer;
  /** f64 [2, shards, sumFields] */
  readonly sums: SharedArrayBuffer;
  /** f32 [2, shards, floats] */
  readonly gradients: SharedArrayBuffer;
  readonly shards: number;
  readonly floats: number;
}

export interface Exchange {
  readonly shards: number;
  putShard(turn: number, shard: number, gradients: Float32Array, sums: ShardSums): void;
  gradients(turn: number, shard: number): Float32Array;
  /** Sums over all shards, added in the order of the shards. */
  totals(turn: number): ShardSums;
  /** Waits until all workers are here. */
  barrier(workers: number): void;
  /** Worker 0 fixes before the barrier whether this step is the last; all read it after the barrier. */
  settleStop(turn: number): void;
  isStopping(turn: number): boolean;
}

export function makeExchangeBuffers(shards: number, floats: number): ExchangeBuffers {
  return {
    control: new SharedArrayBuffer(5 * 4),
    sums: new SharedArrayBuffer(2 * shards * sumFields.length * 8),
    gradients: new SharedArrayBuffer(2 * shards * floats * 4),
    shards,
    floats,
  };
}

/** Asks all workers to stop after the step they are in. */
export function requestStop({ control }: ExchangeBuffers): void {
  Atomics.store(new Int32Array(control), 2, 1);
}

export function openExchange(buffers: ExchangeBuffers): Exchange {
  const { shards, floats } = buffers;
  const control = new Int32Array(buffers.control);
  const slot = (turn: number, shard: number): number => (turn % 2) * shards + shard;
  const gradients = (turn: number, shard: number): Float32Array =>
    new Float32Array(buffers.gradients, slot(turn, shard) * floats * 4, floats);
  const sums = (turn: number, shard: number): Float64Array =>
    new Float64Array(buffers.sums, slot(turn, shard) * sumFields.length * 8, sumFields.length);
  return {
    shards,
    gradients,
    putShard: (turn, shard, values, own) => {
      gradients(turn, shard).set(values);
      sums(turn, shard).set(sumFields.map((field) => own[field]));
    },
    totals: (turn) => {
      const all = Array.from({ length: shards }, (_, shard) => sums(turn, shard));
      const entries = sumFields.map((field, i) => [field, all.reduce((total, one) => total + one[i], 0)]);
      return Object.fromEntries(entries) as ShardSums;
    },
    barrier: (workers) => waitForAll(control, workers),
    settleStop: (turn) => Atomics.store(control, 3 + (turn % 2), Atomics.load(control, 2)),
    isStopping: (turn) => Atomics.load(control, 3 + (turn % 2)) === 1,
  };
}

function waitForAll(control: Int32Array, workers: number): void {
  const generation = Atomics.load(control, 1);
  if (Atomics.add(control, 0, 1) === workers - 1) {
    Atomics.store(control, 0, 0);
    Atomics.add(control, 1, 1);
    Atomics.notify(control, 1);
    return;
  }
  while (Atomics.load(control, 1) === generation) Atomics.wait(control, 1, generation);
}
