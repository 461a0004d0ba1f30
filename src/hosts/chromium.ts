// Finds and starts a Chromium without a window on one address. It knows nothing of what the page does: pages answer their own
// server.

import { type Browser, startBrowser } from "./browser.js";
import { findProgram } from "./hosts.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];
/** Where installers put them on systems that do not use PATH for programs with windows. */
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** No first-run pages, no look-ups of its own: nothing but the one address is asked for. */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--headless",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  // Root has no sandbox to put it in.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
/** Path of a Chromium: CHROME_PATH, or the first that is installed. Throws UnavailableError, which says how to get one. */
export function findChromium(env: NodeJS.ProcessEnv = process.env, places: readonly string[] = PLACES): string {
  const remedy =
    "Install it (Debian, Ubuntu: apt-get install chromium) or set CHROME_PATH to a Chrome, Edge or Chromium";
  return findProgram("Chromium", { variable: "CHROME_PATH", names: NAMES, remedy }, env, places);
}

/** WebGPU also where Chromium would keep it back: without a window on Linux, and on a software adapter. */
export const WEBGPU_FLAGS: readonly string[] = ["--enable-unsafe-webgpu"];

/** Opens `url` in a fresh profile, which is removed on close. */
export function startChromium(program: string, url: string, flags: readonly string[] = []): Browser {
  return startBrowser(program, (profile) => [...CHROMIUM_FLAGS, ...flags, `--user-data-dir=${profile}`, url]);
}
