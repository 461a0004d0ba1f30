// Debian's Firefox-ESR for tests, without a window, driven over WebDriver BiDi through puppeteer-core, which is fetched into
// .cache/peers. (playwright-core would want a Firefox of its own.)

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { FIREFOX_SETTINGS } from "../../src/hosts/firefox.js";
import { ensureDebian } from "./debian.js";
import { need } from "./need.js";
import { root } from "./root.js";

const PROGRAM = "/usr/bin/firefox-esr";

/** What tests use of puppeteer-core's pages. */
export interface FirefoxPage {
  goto(url: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  select(selector: string, ...values: string[]): Promise<unknown>;
  /** Runs source text in the page. */
  evaluate(source: string): Promise<unknown>;
  waitForFunction(source: string, options: { readonly timeout: number }): Promise<unknown>;
  setViewport(size: { readonly width: number; readonly height: number }): Promise<void>;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): unknown;
  on(event: "pageerror", listener: (error: Error) => void): unknown;
}

interface Puppeteer {
  launch(options: object): Promise<{ newPage(): Promise<FirefoxPage>; close(): Promise<void> }>;
}

/** True where Firefox and its driver are, or could be fetched. */
export function haveFirefox(): boolean {
  if (!ensureDebian(["firefox-esr"])) return false;
  const script = join(root, "scripts", "peers.mjs");
  const { status } = spawnSync(process.execPath, [script, "puppeteer-core"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return need(status === 0, "npm's puppeteer-core", "Run `node scripts/peers.mjs puppeteer-core` with a network");
}

/** Starts Firefox with a fresh profile and one page, runs the body, and ends it. */
export async function withFirefox<T>(body: (page: FirefoxPage, faults: readonly string[]) => Promise<T>): Promise<T> {
  const folder = join(root, ".cache", "peers", "puppeteer-core", "node_modules", "puppeteer-core");
  const entry = pathToFileURL(join(folder, "lib", "puppeteer", "puppeteer-core.js")).href;
  const { default: puppeteer } = (await import(entry)) as { default: Puppeteer };
  const browser = await puppeteer.launch({
    ...{ browser: "firefox", executablePath: PROGRAM, headless: true, extraPrefsFirefox: FIREFOX_SETTINGS },
  });
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
    page.on("pageerror", (error) => void faults.push(error.message));
    return await body(page, faults);
  } finally {
    await browser.close();
  }
}
