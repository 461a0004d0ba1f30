// Finds and starts a Firefox without a window on one address, in a fresh profile that asks nobody for anything.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, startBrowser } from "./browser.js";
import { findProgram } from "./hosts.js";

const PLACES = ["/Applications/Firefox.app/Contents/MacOS/firefox", "C:\\Program Files\\Mozilla Firefox\\firefox.exe"];

/** WebGPU also on software adapters; no first-run page, no telemetry, no updates, no look-ups of its own. */
export const FIREFOX_SETTINGS: Readonly<Record<string, boolean | number | string>> = {
  "dom.webgpu.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
  "gfx.webgpu.force-enabled": true,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.server": "",
  "app.update.enabled": false,
  "app.normandy.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "",
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "extensions.systemAddon.update.enabled": false,
};

/** Path of a Firefox: FIREFOX_PATH, or the first that is installed. Throws UnavailableError, which says how to get one. */
export function findFirefox(env: NodeJS.ProcessEnv = process.env, places: readonly string[] = PLACES): string {
  const remedy = "Install it (Debian: apt-get install firefox-esr) or set FIREFOX_PATH to the program";
  const program = { variable: "FIREFOX_PATH", names: ["firefox", "firefox-esr"], remedy };
  return findProgram("Firefox", program, env, places);
}

/** Opens `url` in a fresh profile, which is removed on close. */
export function startFirefox(program: string, url: string): Browser {
  const lines = Object.entries(FIREFOX_SETTINGS).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  return startBrowser(program, (profile) => {
    writeFileSync(join(profile, "user.js"), `${lines.join("\n")}\n`);
    return ["--headless", "--no-remote", "--profile", profile, url];
  });
}
