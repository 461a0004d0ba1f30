// The coordinator's side of a participant's process: starts it on the wanted Node, sends a command, waits for its reply.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fetchNode24 } from "../../scripts/node24.js";
import { nameOf, type Participant, type Work } from "./case.js";
import type { Command, Reply, Timing } from "./child.js";

const ENTRY = fileURLToPath(new URL("./child.js", import.meta.url));

export interface Process {
  readonly name: string;
  readonly participant: Participant;
  readonly pid: number;
  readonly about: string;
  readonly arms: readonly string[];
  sample(arm: string): Promise<Timing>;
  errors(): Promise<Readonly<Record<string, number | null>>>;
  close(): Promise<void>;
}

/** Starts a participant and opens the work in it. Throws with the child's own words where that fails. */
export async function openProcess(participant: Participant, work: Work): Promise<Process> {
  const { contender, threads, node } = participant;
  const child = fork(ENTRY, [], {
    execPath: nodePath(node),
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  try {
    const opened = await ask(child, { kind: "open", contender, work, threads });
    if (opened.kind !== "opened") throw new Error("unexpected reply");
    const { about, arms } = opened;
    return { ...commands(child), name: nameOf(participant), participant, pid: child.pid ?? 0, about, arms };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

function nodePath(node: Participant["node"]): string {
  if (process.version.startsWith(`v${node}.`)) return process.execPath;
  if (node === 24) return fetchNode24();
  throw new Error(`this is Node ${process.version}; start the command with Node ${node} for its figures`);
}

function commands(child: ChildProcess): Pick<Process, "sample" | "errors" | "close"> {
  return {
    async sample(arm) {
      const reply = await ask(child, { kind: "sample", arm });
      if (reply.kind !== "timing") throw new Error("unexpected reply");
      return reply.timing;
    },
    async errors() {
      const reply = await ask(child, { kind: "errors" });
      if (reply.kind !== "errors") throw new Error("unexpected reply");
      return reply.errors;
    },
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}

function ask(child: ChildProcess, command: Command): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) =>
      reject(new Error(`the process ended with ${code} during "${command.kind}"`));
    child.once("exit", onExit);
    child.once("message", (reply: Reply) => {
      child.off("exit", onExit);
      if (reply.kind === "failed") reject(new Error(reply.problem));
      else resolve(reply);
    });
    child.send(command);
  });
}
