// A worker thread that is ended from outside in the middle of a job, without a trap, ends the job with a typed error after
// the coordinator's patience; nobody waits for it for ever.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { WorkerJob } from "../../src/core/ports.js";

/** The coordinator's own patience is 10 to 20 s. */
const PATIENCE_MS = 120_000;
/** Each product takes some 10 ms on two threads, so that the end hardly ever falls between two. */
const WORK_MS = 300;

test("a worker that was ended inside a job is given up with an error", async () => {
  const coordinator = new Worker(new URL("./vanished-worker.js", import.meta.url));
  const [{ job }] = (await once(coordinator, "message")) as [{ job: WorkerJob }];
  const entry = new URL("../../src/platform/node-worker-entry.js", import.meta.url);
  const worker = new Worker(entry, { workerData: job });
  await once(worker, "message");
  coordinator.postMessage("started");
  await once(coordinator, "message");
  await new Promise((resolve) => setTimeout(resolve, WORK_MS));
  await worker.terminate();
  const timer = setTimeout(() => coordinator.postMessage("late"), PATIENCE_MS);
  const [{ told }] = (await once(coordinator, "message")) as [{ told: string }];
  clearTimeout(timer);
  await coordinator.terminate();
  assert.match(told, /^UnavailableError: .*worker threads has ended inside a kernel.*--threads 1/);
});

test.run();
