// Loads the addon, and says why where there is none. Everything but watching programs works without it.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UnavailableError } from "../core/errors.js";
import type { NativeAddon } from "../core/native.js";

// build/src/platform/native.js -> build/native
const FOLDER = fileURLToPath(new URL("../../native/", import.meta.url));

interface Found {
  readonly addon: NativeAddon;
  readonly folder: string;
}

let found: Found | null = null;

function find(): Found {
  if (found) return found;
  const require = createRequire(import.meta.url);
  const load = require("node-gyp-build") as ((folder: string) => NativeAddon) & { resolve(folder: string): string };
  const remedy = "In a clone: `npm run build:native` (needs g++, make and python3)";
  let loaded: Found;
  try {
    loaded = { addon: load(FOLDER), folder: dirname(load.resolve(FOLDER)) };
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0] as string;
    throw new UnavailableError("the native addon", reason, remedy);
  }
  const { unavailable } = loaded.addon;
  if (unavailable) throw new UnavailableError("the native addon", unavailable, "Use Linux");
  found = loaded;
  return loaded;
}

/** The addon. Throws UnavailableError that says how to get it. */
export function loadNative(): NativeAddon {
  return find().addon;
}

/** null where there is none. */
export function tryNative(): NativeAddon | null {
  try {
    return loadNative();
  } catch (error) {
    if (error instanceof UnavailableError) return null;
    throw error;
  }
}

export interface Watchdog {
  readonly pid: number | undefined;
  /** false: it has ended, nothing may be stopped any more. */
  alive(): boolean;
  /** Ends it in good order. */
  close(): void;
}

/** Starts the watchdog over a guard's memory; resolves when it watches. It lives in a session of its own and outlives us to clean up. */
export function startWatchdog(guardFd: number): Promise<Watchdog> {
  const program = join(find().folder, "nibblemark-watchdog");
  if (!existsSync(program)) throw new UnavailableError("the watchdog", `${program} is missing`, "npm run build:native");
  return new Promise((resolve, reject) => {
    const child = spawn(program, [], { stdio: ["pipe", "pipe", "ignore", guardFd], detached: true });
    let running = true;
    const fail = (reason: string) => reject(new UnavailableError("the watchdog", reason, "npm run build:native"));
    child.on("error", (error) => {
      running = false;
      fail(error.message);
    });
    child.on("exit", () => {
      running = false;
      fail("it ended at once");
    });
    child.stdin?.on("error", () => {});
    child.stdout?.once("data", () => {
      child.stdout?.destroy();
      child.unref();
      // The pipe is a handle of its own; it must not keep the process alive, and it closes when the process ends.
      (child.stdin as unknown as { unref?: () => void })?.unref?.();
      resolve({ pid: child.pid, alive: () => running, close: () => void child.stdin?.end() });
    });
  });
}
