// The synthetic shape has fewer layers than the real model: its time at full depth is its predicted time, scaled by what
// the model says of both depths. Always labelled extrapolated.

import { InputError } from "../core/errors.js";
import type { Figure } from "../core/units.js";
import type { CaseArm } from "./arms.js";
import { epochRecorder } from "./epochs.js";
import type { Evaluator, Iteration } from "./evaluate.js";
import type { Control, FullDepth, MemoryParts } from "./parts.js";
import { testBody } from "./tests.js";

/** The op lists of an arm's test at full depth; nothing is computed. */
export async function fullIteration(arm: CaseArm, full: FullDepth, seed: number, control: Control): Promise<Iteration> {
  const recorder = epochRecorder(control.clock);
  const session = full.session(recorder.hook);
  const body = testBody(arm.spec, { image: null, vocab: arm.subject.vocab }, seed);
  await body.before(session);
  recorder.take();
  await body.iteration(session);
  const epochs = recorder.take().map((epoch) => ({ ...epoch, leastNs: epoch.nativeNs }));
  const { threads, backend } = arm.subject.target;
  return { specs: full.specs, epochs, medianNs: 0, threads, gpu: backend === "webgpu" };
}

/** `predicted` at the depth that ran, scaled to full depth; null where the full model does not fit the topology. */
export function extrapolate(
  predicted: Figure,
  run: Iteration,
  full: Iteration,
  topologyIndex: number,
  parts: MemoryParts,
  evaluator: Evaluator,
  rules: readonly string[],
): Figure | null {
  const topology = parts.topologies[topologyIndex];
  if (!topology) return null;
  try {
    const placedFull = parts.place(full.specs, topology, rules);
    const ratio =
      evaluator.modelled(full, placedFull) / evaluator.modelled(run, parts.place(run.specs, topology, rules));
    return { value: predicted.value * ratio, unit: "ns", source: "derived" };
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
