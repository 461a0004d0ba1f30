// Rounds of one iteration an arm, A B C A B C, so that drift of the machine falls on all arms alike. tinybench times
// each single iteration with the injected clock (its own loop would run the arms one after another).

import { Bench } from "tinybench";
import type { Clock } from "../core/ports.js";

export interface Arm {
  readonly name: string;
  /** Untimed, before each iteration. */
  before(): Promise<void>;
  iteration(): Promise<void>;
  /** After each timed iteration. */
  after(round: number, sampleNs: number): void;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly warmups: number;
  readonly clock: Clock;
  /** Before each round. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** Before each iteration; true ends the rounds. */
  readonly stopped: () => Promise<boolean>;
  readonly onIteration: (done: number, total: number) => void;
}

export interface ArmOutcome {
  readonly samplesNs: readonly number[];
  /** The error that ended this arm, or null. */
  readonly error: Error | null;
}

/** A tinybench task that runs its function once a call and keeps the one sample. */
function timedOnce(arm: Arm, clock: Clock): () => Promise<number> {
  const bench = new Bench({
    iterations: 1,
    time: 0,
    warmup: false,
    retainSamples: true,
    throws: true,
    timestampProvider: {
      name: "injected",
      fn: () => clock.nowNs(),
      toMs: (value) => Number(value) / 1e6,
      fromMs: (ms) => ms * 1e6,
    },
  });
  bench.add(arm.name, () => arm.iteration(), { async: true, beforeEach: () => arm.before() });
  return async () => {
    bench.reset(); // A task that has run would only give its old result again.
    const [task] = await bench.run();
    if (task?.result.state !== "completed") throw new Error(`${arm.name} did not complete`);
    return task.result.latency.mean * 1e6;
  };
}

/** Runs all arms interleaved. An arm that throws is left out from then on; the others go on. */
export async function runRounds(arms: readonly Arm[], options: RoundOptions): Promise<ArmOutcome[]> {
  const { rounds, warmups, clock, turn, stopped, onIteration } = options;
  const timers = arms.map((arm) => timedOnce(arm, clock));
  const samples: number[][] = arms.map(() => []);
  const errors: (Error | null)[] = arms.map(() => null);
  const total = (rounds + warmups) * arms.length;
  let done = 0;
  for (let round = -warmups; round < rounds; round++) {
    await turn?.();
    for (const [index, arm] of arms.entries()) {
      onIteration(done++, total);
      if (errors[index]) continue;
      if (await stopped()) return outcomes();
      try {
        const ns = await (timers[index] as () => Promise<number>)();
        if (round >= 0) samples[index]?.push(ns);
        arm.after(round, ns);
      } catch (error) {
        errors[index] = error as Error;
      }
    }
  }
  return outcomes();

  function outcomes(): ArmOutcome[] {
    return arms.map((_, i) => ({ samplesNs: samples[i] as number[], error: errors[i] as Error | null }));
  }
}
