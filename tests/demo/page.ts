// The built demo page in a real browser: serves it, opens it, and waits for its parts as a user would.

import { join } from "node:path";
import type { Page } from "playwright-core";
import type { BenchResult } from "../../src/core/result.js";
import type { ServeOptions } from "../../src/hosts/serve.js";
import { type OpenPage, packageFolders, withChromium, withServer } from "../support/browser.js";
import { root } from "../support/root.js";

export const site = join(root, "build", "site");
/** A cold start on a machine whose cores are shared. */
const READY_MS = 60_000;

export const siteOptions: ServeOptions = {
  folders: { build: packageFolders.build, profiles: packageFolders.profiles, models: packageFolders.models },
  site,
};

export interface Demo extends OpenPage {
  readonly url: string;
  readonly open: (url: string) => Promise<OpenPage>;
}

/** Waits until a status line has been said. */
export async function statusIs(page: Page, pattern: RegExp): Promise<string> {
  const line = page.locator("#status");
  await line.filter({ hasText: pattern }).waitFor({ timeout: READY_MS });
  return (await line.textContent()) ?? "";
}

export const ready = (page: Page): Promise<string> => statusIs(page, /^Ready: /);

/** Asks about what the page shows; the answer's text. */
export async function askDemo(page: Page, question: string): Promise<string> {
  await page.fill("#question", question);
  await page.click("#ask-button");
  await statusIs(page, /^Answered/);
  return (await page.locator("#answer").textContent()) ?? "";
}

/** Drops files of this machine into the page as a user's mouse does. */
export async function dropFiles(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const at = { x: 300, y: 300, data: { items: [], files: [...files], dragOperationsMask: 1 } };
  await session.send("Input.dispatchDragEvent", { type: "dragEnter", ...at });
  await session.send("Input.dispatchDragEvent", { type: "dragOver", ...at });
  await page.locator("body.dropping").waitFor();
  await session.send("Input.dispatchDragEvent", { type: "drop", ...at });
  await page.locator("body:not(.dropping)").waitFor();
  await session.detach();
}

/** Widths at which the page would scroll sideways, from a small phone to a desk, with what they would need. */
export async function tooWide(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const width of [320, 360, 412, 600, 768, 1024, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    if (needed > width) found.push(`${needed} on ${width}`);
  }
  return found;
}

/** Shows a shipped sample. */
export async function showSample(page: Page, name: string): Promise<void> {
  await page.click(`button[data-sample="${name}"]`);
  await statusIs(page, new RegExp(`^${name}: `));
}

/** Leaves the benchmark its first target, and starts it. */
export async function benchFirstTarget(page: Page): Promise<void> {
  for (const box of (await page.locator("#bench-targets input:enabled").all()).slice(1)) await box.uncheck();
  await page.click("#bench-run");
}

/** The benchmark's result as "download JSON" gives it. */
export async function downloadedResult(page: Page): Promise<BenchResult> {
  const download = page.waitForEvent("download");
  await page.click("#download-json");
  const parts: Buffer[] = [];
  for await (const part of await (await download).createReadStream()) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString("utf8")) as BenchResult;
}

/** Figure of a row of the speeds, with all digits. @param column 1 all local, 2 as placed */
export async function speed(page: Page, row: string, column: 1 | 2): Promise<number> {
  const cell = page.locator(`#speeds tr[data-row="${row}"] td`).nth(column - 1);
  return Number(await cell.getAttribute("data-value"));
}

/** Runs a body on an opened page of the demo. */
export async function withDemo<T>(
  body: (demo: Demo) => Promise<T>,
  { hash = "", isolated = true, flags = [] as readonly string[] } = {},
): Promise<T> {
  return withServer(
    ({ url }) =>
      withChromium(async (open) => {
        const opened = await open(`${url}${hash}`);
        await ready(opened.page);
        return body({ ...opened, url, open });
      }, flags),
    { ...siteOptions, isolated },
  );
}
