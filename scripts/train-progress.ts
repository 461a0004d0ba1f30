// Progress of a training run on stderr: one rewritten line on a terminal, a line every 50 steps elsewhere.

import type { Progress } from "../src/train/checkpoint.js";
import type { StepRecord } from "../src/train/loop.js";
import type { TrainPlan } from "./train-plan.js";

/** A step counts for the time left by its rough cost, taken from the FLOP count of the steps seen so far. */
interface StageClock {
  readonly startMs: number;
  readonly startStep: number;
  readonly startFlop: number;
}

export interface ProgressBar {
  show(record: StepRecord, progress: Progress): void;
  end(): void;
}

const fixed = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));

export function makeProgressBar(plan: TrainPlan, stream: NodeJS.WriteStream): ProgressBar {
  const clocks = new Map<string, StageClock>();
  const show = (record: StepRecord, progress: Progress): void => {
    const flop = progress.decoderFlop + progress.visionFlop;
    const now = performance.now();
    const steps = record.stage === "vision" ? plan.visionSteps : plan.jointSteps;
    const clock = clocks.get(record.stage);
    if (!clock) clocks.set(record.stage, { startMs: now, startStep: record.step, startFlop: flop });
    if (!stream.isTTY && (record.step + 1) % 50 !== 0 && record.step + 1 !== steps) return;
    const seconds = Math.max(1e-3, (now - (clock?.startMs ?? now)) / 1000);
    const perSecond = (record.step - (clock?.startStep ?? record.step)) / seconds;
    const left = perSecond > 0 ? `${Math.ceil((steps - record.step - 1) / perSecond / 60)} min left` : "";
    const parts = [
      `${record.stage} ${record.step + 1}/${steps}`,
      `loss ${fixed(record.loss, 3)} text ${fixed(record.textLoss, 3)} answers ${fixed(record.answerLoss, 3)}`,
      `right ${fixed(record.answerAccuracy === null ? null : 100 * record.answerAccuracy, 1)} %`,
      `${(record.positions * perSecond).toFixed(0)} tokens/s`,
      `${((flop - (clock?.startFlop ?? flop)) / seconds / 1e9).toFixed(1)} GFLOP/s`,
      left,
    ];
    stream.write(stream.isTTY ? `\r\x1b[2K${parts.join("  ")}` : `${parts.join("  ")}\n`);
  };
  return {
    show,
    end: () => {
      if (stream.isTTY) stream.write("\n");
    },
  };
}
