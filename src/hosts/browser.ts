// A browser that was started on one address, in a profile of its own that is removed with it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LAST_WORDS = 2000;

export interface Browser {
  /** Resolves when it ended by itself, with what it said last. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** Starts a program with the arguments for a fresh, empty profile folder, which is removed on close. */
export function startBrowser(program: string, argsOf: (profile: string) => readonly string[]): Browser {
  const profile = mkdtempSync(join(tmpdir(), "nibblemark-browser-"));
  const child = spawn(program, argsOf(profile), { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk) => {
    words = `${words}${chunk}`.slice(-LAST_WORDS);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(words));
  });
  return {
    ended,
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
