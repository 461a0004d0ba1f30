// First file of the coordinator's worker: does what the request asks, tells of progress, answers once.

import { setImmediate } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { nodePlatform } from "../platform/node.js";
import type { Control } from "../run/parts.js";
import type { ClientMessage, CoordinatorEvent, FinalEvent, Request } from "./protocol.js";
import { failureOf } from "./protocol.js";
import { answerWork } from "./tasks/answer.js";
import { benchWork, evalWork } from "./tasks/bench.js";
import { calibrateWork } from "./tasks/calibrate.js";
import { compressWork } from "./tasks/compress.js";
import { doctorWork } from "./tasks/doctor.js";
import { kldWork } from "./tasks/kld.js";

/** Progress messages closer together than this are dropped. */
const PROGRESS_NS = 50e6;

const post = (event: CoordinatorEvent) => parentPort?.postMessage(event);
const platform = nodePlatform();
let stop = false;
let lastProgressNs = 0;

parentPort?.on("message", (message: ClientMessage) => {
  if (message.kind === "stop") stop = true;
});

const control: Control = {
  clock: platform.clock,
  progress(progress) {
    const now = platform.clock.nowNs();
    if (now - lastProgressNs < PROGRESS_NS) return;
    lastProgressNs = now;
    post({ kind: "progress", progress });
  },
  async stopped() {
    await setImmediate();
    return stop;
  },
};

function work(request: Request): Promise<FinalEvent> {
  switch (request.kind) {
    case "bench":
      return benchWork(platform, request.scenario, control);
    case "eval":
      return evalWork(platform, request.scenario, request.folders, control);
    case "kld":
      return kldWork(platform, request, control);
    case "compress":
      return compressWork(platform, request, control, (text) => post({ kind: "text", text }));
    case "doctor":
      return doctorWork(platform);
    case "calibrate":
      return calibrateWork(platform, request, control);
    case "answer":
      return answerWork(platform, request, control, (text) => post({ kind: "text", text }));
    default:
      return request satisfies never;
  }
}

post(await work(workerData as Request).catch(failureOf));
