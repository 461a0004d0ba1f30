// First script of a page that the command line opens: fetches the request, starts the coordinator in a worker, and posts
// whatever that says to the server, in order.

import type { ClientMessage, CoordinatorEvent, Request } from "../protocol.js";
import { failureOf, isFinal } from "../protocol.js";

const base = new URL("./", document.location.href).href;
const state = document.getElementById("state");
let sent = Promise.resolve();

/** Posts an event; the answer holds messages for the coordinator. */
function post(event: CoordinatorEvent, worker: Worker | null): void {
  sent = sent.then(async () => {
    const answer = await fetch(`${base}events`, { method: "POST", body: JSON.stringify(event) });
    for (const message of (await answer.json()) as ClientMessage[]) worker?.postMessage(message);
    if (state && isFinal(event)) state.textContent = "Done; this page may be closed.";
  });
}

try {
  const request = (await (await fetch(`${base}request`)).json()) as Request;
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<CoordinatorEvent>) => post(data, worker);
  worker.onerror = (event) => post(failureOf(new Error(event.message || "the worker could not be started")), null);
  worker.postMessage({ kind: "begin", base, request });
} catch (error) {
  post(failureOf(error), null);
}
