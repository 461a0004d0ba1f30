// A process that takes core 0 for itself, as another program on the machine would: a loop in a child, pinned by taskset.

import { spawn } from "node:child_process";

export interface Hog {
  readonly pid: number;
  stop(): void;
}

/** Starts it. Throws where taskset (util-linux) is missing. */
export async function startHog(): Promise<Hog> {
  const child = spawn("taskset", ["-c", "0", process.execPath, "-e", "for (;;);"], { stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    child.once("error", () =>
      reject(new Error("taskset is missing: install util-linux to measure beside a busy core")),
    );
    child.once("spawn", () => resolve());
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { pid: child.pid ?? 0, stop: () => child.kill("SIGKILL") };
}
