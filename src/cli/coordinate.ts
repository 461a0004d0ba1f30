// What a coordinator of Node, Bun or Deno does with a request, wherever it runs: in a worker thread (coordinator.ts) or a process of
// its own (worker.ts). The caller passes events out and messages in.

import { setImmediate } from "node:timers/promises";
import { nodePlatform } from "../platform/node.js";
import type { Control } from "../run/parts.js";
import type { ClientMessage, CoordinatorEvent, FinalEvent, Request } from "./protocol.js";
import { failureOf } from "./protocol.js";
import { answerWork } from "./tasks/answer.js";
import { benchWork, evalWork } from "./tasks/bench.js";
import { calibrateWork } from "./tasks/calibrate.js";
import { compressWork } from "./tasks/compress.js";
import { doctorWork } from "./tasks/doctor.js";
import { fitRunWork } from "./tasks/fit-run.js";
import { kldWork } from "./tasks/kld.js";

/** Progress messages closer together than this are dropped. */
const PROGRESS_NS = 50e6;

export interface Coordination {
  /** A message of the client. */
  take(message: ClientMessage): void;
  /** Resolves with the answer; a failure is an answer too. */
  readonly done: Promise<FinalEvent>;
}

export function coordinate(request: Request, post: (event: CoordinatorEvent) => void): Coordination {
  const platform = nodePlatform();
  const text = (words: string) => post({ kind: "text", text: words });
  let stop = false;
  let lastProgressNs = 0;
  let go = () => {};
  const control: Control = {
    clock: platform.clock,
    progress(progress) {
      const now = platform.clock.nowNs();
      if (now - lastProgressNs < PROGRESS_NS) return;
      lastProgressNs = now;
      post({ kind: "progress", progress });
    },
    turn() {
      if (request.kind !== "bench" || !request.turns) return Promise.resolve();
      return new Promise((done) => {
        go = done;
        post({ kind: "turn" });
      });
    },
    async stopped() {
      await setImmediate();
      return stop;
    },
  };

  function work(): Promise<FinalEvent> {
    switch (request.kind) {
      case "bench":
        return benchWork(platform, request.scenario, control);
      case "eval":
        return evalWork(platform, request.scenario, request.folders, control);
      case "kld":
        return kldWork(platform, request, control);
      case "compress":
        return compressWork(platform, request, control, text);
      case "doctor":
        return doctorWork(platform);
      case "calibrate":
        return calibrateWork(platform, request, control);
      case "fit-run":
        return fitRunWork(platform, request, control);
      case "answer":
        return answerWork(platform, request, control, text);
      default:
        return request satisfies never;
    }
  }

  return {
    take(message) {
      if (message.kind === "stop") stop = true;
      else go();
    },
    done: work().catch(failureOf),
  };
}
