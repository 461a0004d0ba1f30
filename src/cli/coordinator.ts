// First file of the coordinator's worker: passes messages to and fro, answers once.

import { parentPort, workerData } from "node:worker_threads";
import { coordinate } from "./coordinate.js";
import type { ClientMessage, CoordinatorEvent, Request } from "./protocol.js";

const post = (event: CoordinatorEvent) => parentPort?.postMessage(event);
const { take, done } = coordinate(workerData as Request, post);
parentPort?.on("message", (message: ClientMessage) => take(message));
post(await done);
