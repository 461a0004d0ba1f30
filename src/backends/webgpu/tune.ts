// The variant of the kernels for products of few tokens: workgroup size and how its sums meet. Tried once for each shape on
// real adapters and kept; a software adapter takes the first, since its times say nothing.

import { UnavailableError } from "../../core/errors.js";
import type { ActivationFormat, Op } from "../../core/op.js";
import type { Clock } from "../../core/ports.js";
import type { AdapterFacts } from "./adapter.js";
import { type Choice, type Lowering, multiply, TILE_TOKENS } from "./matmul.js";
import { type Tensor, tensorOf } from "./memory.js";
import { type Recording, readBack, scratchOf } from "./record.js";
import { openStopwatch, run } from "./submission.js";

/** Choices by adapter, format and shape: plain data that a host may keep and hand in again. */
export type Tuning = Record<string, Choice>;

export const FIRST_CHOICE: Choice = { size: 64, subgroups: false };
const ROUNDS = 5;
/** Matrices of one shape that a trial runs over, so that no cache holds them all. */
const MOST_MATRICES = 16;

export function candidates(subgroups: boolean, maxSize: number): readonly Choice[] {
  const sizes = [64, 128, 256, 32].filter((size) => size <= maxSize);
  return sizes.flatMap((size) => [{ size, subgroups: false }, ...(subgroups ? [{ size, subgroups: true }] : [])]);
}

export function tuningKey({ name }: AdapterFacts, { spec, offset }: Tensor, activations: ActivationFormat): string {
  return `${name}; ${spec.format} ${offset} [${spec.rows}, ${spec.cols}] ${activations}`;
}

/** A product of few tokens in an op list whose variant is not known yet. */
export interface Untuned {
  readonly key: string;
  readonly weight: Tensor;
  readonly activations: ActivationFormat;
}

export function untuned(
  tensors: readonly Tensor[],
  ops: readonly Op[],
  facts: AdapterFacts,
  tuning: Tuning,
): Untuned[] {
  const found = new Map<string, Untuned>();
  for (const op of ops) {
    if (op.kind !== "matmul" || op.rows >= TILE_TOKENS) continue;
    const weight = tensorOf(tensors, op.weight);
    const key = tuningKey(facts, weight, op.activations);
    if (!(key in tuning)) found.set(key, { key, weight, activations: op.activations });
  }
  return [...found.values()];
}

/** The fastest candidate by its least time; all are tried in turn, so that drift meets them alike. */
export async function fastest(
  choices: readonly Choice[],
  rounds: number,
  timeNs: (choice: Choice) => Promise<number>,
): Promise<Choice> {
  const least = choices.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, choice] of choices.entries()) least[i] = Math.min(least[i] as number, await timeNs(choice));
  }
  return choices[least.indexOf(Math.min(...least))] ?? FIRST_CHOICE;
}

/** Runs a product with every matrix of this shape in one submission. */
async function trial(
  lowering: Lowering,
  { weight, activations }: Untuned,
  choice: Choice,
  clock: Clock,
  facts: AdapterFacts,
) {
  const { store, tensors } = lowering;
  const { format, rows, cols } = weight.spec;
  const alike = tensors.filter(({ spec, offset }) => {
    return spec.format === format && spec.rows === rows && spec.cols === cols && offset === weight.offset;
  });
  const x = scratchOf(store, "trial x", cols * 4);
  const out = scratchOf(store, "trial out", rows * 4);
  store.device.queue.writeBuffer(
    x.buffer,
    0,
    Float32Array.from({ length: cols }, (_, i) => Math.sin(i)),
  );
  const note = (recording: Recording): void => {
    for (const one of [...alike.slice(0, MOST_MATRICES), weight]) {
      const shape = { weight: one, bias: null, x, xKey: "trial", xRow: 0, out, outRow: 0, outCols: rows, tokens: 1 };
      multiply({ ...lowering, recording, choiceOf: () => choice }, { ...shape, activations });
    }
    readBack(recording, out, 0, rows, "values");
  };
  const watch = facts.timestamps ? openStopwatch(store.device) : null;
  const start = clock.nowNs();
  const { outputs, gpuNs } = await run(store, note, watch);
  return { values: outputs[0] as Float32Array, ns: gpuNs || clock.nowNs() - start };
}

const near = (a: Float32Array, b: Float32Array): boolean => {
  const size = Math.max(...b.map(Math.abs));
  return a.every((value, i) => Math.abs(value - (b[i] as number)) <= 1e-4 * size);
};

/** Tries the variants that give the first one's results; others assume what this device does not hold. */
export async function tune(lowering: Lowering, what: Untuned, clock: Clock, facts: AdapterFacts): Promise<Choice> {
  const { maxComputeInvocationsPerWorkgroup } = lowering.store.device.limits;
  const expected = (await trial(lowering, what, FIRST_CHOICE, clock, facts)).values;
  const right: Choice[] = [];
  for (const choice of candidates(facts.subgroups, maxComputeInvocationsPerWorkgroup)) {
    try {
      if (near((await trial(lowering, what, choice, clock, facts)).values, expected)) right.push(choice);
    } catch (error) {
      // A variant that this driver does not compile is no candidate; a lost device shows with the next one.
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
  return fastest(right, ROUNDS, async (choice) => (await trial(lowering, what, choice, clock, facts)).ns);
}
