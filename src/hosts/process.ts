// A coordinator in another runtime's process (Bun, Deno, another Node): requests, messages and events are JSON, one a line, over
// its standard input and output. It ends when its input does, so none outlives this process.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CoordinatorHandle } from "./node.js";

const LAST_WORDS = 2000;

/** As startCoordinator of node.ts. `args` start a program that speaks as above. `done` rejects when it ends with no answer. */
export function startProcessCoordinator<Message, Event, Answer extends Event>(
  program: string,
  args: readonly string[],
  request: unknown,
  onMessage: (event: Event) => void,
  isAnswer: (event: Event) => event is Answer,
): CoordinatorHandle<Message, Answer> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk) => {
    words = `${words}${chunk}`.slice(-LAST_WORDS);
  });
  // A message for a process that has ended: its end is told by `done`.
  child.stdin.on("error", () => {});
  const send = (value: unknown) => void child.stdin.write(`${JSON.stringify(value)}\n`);
  const done = new Promise<Answer>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      try {
        const event = JSON.parse(line) as Event;
        if (isAnswer(event)) resolve(event);
        else onMessage(event);
      } catch {
        reject(new Error(`${program} said what is no event: ${line.slice(0, LAST_WORDS)}`));
      }
    });
    child.once("error", reject);
    child.once("close", (code, signal) =>
      reject(new Error(`${program} ended with ${signal ?? `code ${code}`} and no result: ${words.trim()}`)),
    );
  });
  send(request);
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill();
  };
  return { send, done: done.finally(kill), kill };
}
