// A worker thread that traps inside a job ends the job with a typed error; nobody waits for it for ever.

import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** Much longer than it takes; a coordinator that waits for a dead worker would wait for ever. */
const PATIENCE_MS = 60_000;

test("a trap in a worker is told by the thread that waits for it", async () => {
  const thread = new Worker(new URL("./trapping-worker.js", import.meta.url));
  const told = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => resolve("nothing: it still waits"), PATIENCE_MS);
    thread.once("message", resolve).once("error", reject);
    thread.once("exit", () => clearTimeout(timer));
  });
  await thread.terminate();
  assert.match(told, /^UnavailableError: .*worker threads has failed.*--threads 1/);
});

test.run();
