// `nibblemark worker`: a coordinator that is a process of its own, for other runtimes and for job queues. The first line of its
// input is a request, later ones are messages; each line of its output is an event, the last one the answer.

import { createInterface } from "node:readline";
import { InputError } from "../core/errors.js";
import type { Command } from "./command.js";
import { coordinate } from "./coordinate.js";
import { type ClientMessage, type CoordinatorEvent, failureOf, type Request } from "./protocol.js";
import { checkScenario } from "./scenario-schema.js";

const post = (event: CoordinatorEvent) => void process.stdout.write(`${JSON.stringify(event)}\n`);

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new InputError("nibblemark worker", "", "a line of the input is no JSON object", "Write a request on one line");
}

function requestOf(line: string): Request {
  const { kind, scenario, turns } = parsed(line);
  if (kind !== "bench") {
    throw new InputError("nibblemark worker", "kind", `"${kind}" is unknown`, "Known: bench");
  }
  return { kind, scenario: checkScenario("nibblemark worker", scenario), turns: turns === true };
}

async function run(): Promise<number> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const first = await lines.next();
  try {
    const { take, done } = coordinate(requestOf(first.done ? "" : first.value), post);
    const listen = async () => {
      for (let line = await lines.next(); !line.done; line = await lines.next()) {
        take(parsed(line.value) as unknown as ClientMessage);
      }
      // The input has ended: nobody waits for the answer any more.
      process.exit(0);
    };
    listen().catch((error) => post(failureOf(error)));
    post(await done);
  } catch (error) {
    post(failureOf(error));
  }
  // Written out before the process ends: exit does not wait for a pipe.
  await new Promise((resolve) => process.stdout.write("", resolve));
  process.exit(0);
}

export const workerCommand: Command = {
  name: "worker",
  summary:
    "Runs one scenario for another program: a request on standard input, events on standard output, as JSON lines.",
  usage: "",
  examples: [`worker <<< '{"kind": "bench", "scenario": {...}}'`],
  flags: [],
  positionals: 0,
  run,
};
