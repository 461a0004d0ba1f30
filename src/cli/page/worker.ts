// The coordinator of a page, in a worker: does what the request asks with the platform of a browser. The twin of
// ../coordinator.ts.

import { browserPlatform, browserVersion, UnavailableError } from "../../browser.js";
import type { Control } from "../../run/parts.js";
import type { ClientMessage, CoordinatorEvent, FinalEvent, Request } from "../protocol.js";
import { failureOf } from "../protocol.js";
import { calibrateWork } from "../tasks/calibrate.js";
import { pageBenchWork } from "./bench.js";

interface Begin {
  readonly kind: "begin";
  readonly base: string;
  readonly request: Request;
}

/** Progress messages closer together than this are dropped. */
const PROGRESS_MS = 50;

let stop = false;
let go = () => {};
let lastProgressMs = 0;
const post = (event: CoordinatorEvent) => postMessage(event);

const control: Control = {
  clock: { nowNs: () => performance.now() * 1e6 },
  progress(progress) {
    const now = performance.now();
    if (now - lastProgressMs < PROGRESS_MS) return;
    lastProgressMs = now;
    post({ kind: "progress", progress });
  },
  turn: () =>
    new Promise((done) => {
      go = done;
      post({ kind: "turn" });
    }),
  async stopped() {
    await new Promise((done) => setTimeout(done, 0));
    return stop;
  },
};

async function work({ base, request }: Begin): Promise<FinalEvent> {
  const platform = browserPlatform(base);
  const runtime = `${browserVersion(navigator.userAgent)}${crossOriginIsolated ? ", isolated" : ""}`;
  if (request.kind === "calibrate") {
    return calibrateWork(platform, { ...request, environment: { ...request.environment, runtime } }, control);
  }
  if (request.kind === "bench" && request.environment) {
    const { scenario, environment, turns } = request;
    const taking = turns ? control : { ...control, turn: undefined };
    return pageBenchWork(platform, scenario, { ...environment, runtime }, taking);
  }
  throw new UnavailableError(request.kind, "pages cannot do it yet", "Run it in Node");
}

globalThis.onmessage = async ({ data }: MessageEvent<ClientMessage | Begin>) => {
  if (data.kind === "stop") stop = true;
  else if (data.kind === "go") go();
  else post(await work(data).catch(failureOf));
};
