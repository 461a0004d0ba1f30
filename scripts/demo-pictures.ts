// `npm run pictures`: the demo's pictures in docs/, taken anew from the built page in Debian's Chromium: light, dark, a phone, and a
// benchmark. Look at them before they are committed.

import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { CHROMIUM_FLAGS, findChromium } from "../src/hosts/chromium.js";
import { servePages } from "../src/hosts/serve.js";
import { nodePlatform } from "../src/platform/node.js";

const { packagePath } = nodePlatform();
const DOCS = packagePath("docs");
/** A cold start, or a benchmark, on a machine whose cores are shared. */
const MOST_MS = 120_000;
const SCENARIO = "#topology=cxl-switch&cache=1&kv=far";

interface Picture {
  readonly file: string;
  readonly colorScheme: "light" | "dark";
  readonly width: number;
  readonly height: number;
  readonly hash: string;
  /** What is done before, and what then stands at the top. */
  readonly prepare: (page: Page) => Promise<string | null>;
}

const statusIs = (page: Page, pattern: RegExp) =>
  page.locator("#status").filter({ hasText: pattern }).waitFor({ timeout: MOST_MS });

async function ask(page: Page, question: string): Promise<void> {
  await page.fill("#question", question);
  await page.click("#ask-button");
  await statusIs(page, /^Answered/);
}

async function askOfDigits(page: Page): Promise<null> {
  await page.click('button[data-sample="digits.png"]');
  await statusIs(page, /^digits\.png/);
  await ask(page, "how many sixes?");
  await ask(page, "how many sixes?");
  return null;
}

async function goOn(page: Page): Promise<string> {
  await page.uncheck("#with-picture");
  await ask(page, "The whale");
  await page.locator("#pool-chart canvas").waitFor();
  return "[aria-labelledby=timeline-title]";
}

async function bench(page: Page): Promise<string> {
  await page.click("#bench-run");
  await statusIs(page, /^Measured/);
  return "[aria-labelledby=bench-title]";
}

const PICTURES: readonly Picture[] = [
  { file: "demo-light", colorScheme: "light", width: 1200, height: 1040, hash: "#cache=1", prepare: askOfDigits },
  { file: "demo-dark", colorScheme: "dark", width: 1200, height: 1040, hash: SCENARIO, prepare: goOn },
  { file: "demo-phone", colorScheme: "light", width: 390, height: 1100, hash: "#cache=1", prepare: askOfDigits },
  { file: "demo-bench", colorScheme: "light", width: 1200, height: 1040, hash: SCENARIO, prepare: bench },
];

const folders = { build: packagePath("build"), profiles: packagePath("profiles"), models: packagePath("models") };
const server = await servePages({ folders, site: packagePath("build/site") });
const browser = await chromium.launch({
  executablePath: findChromium(),
  headless: true,
  args: CHROMIUM_FLAGS.filter((flag) => flag !== "--headless"),
});
const wanted = process.argv.slice(2);
for (const { file, colorScheme, width, height, hash, prepare } of PICTURES) {
  if (wanted.length > 0 && !wanted.includes(file)) continue;
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(`${server.url}${hash}`);
  await statusIs(page, /^Ready/);
  const top = await prepare(page);
  await page.evaluate(
    (selector) => (selector ? document.querySelector(selector)?.scrollIntoView() : scrollTo(0, 0)),
    top,
  );
  // Sections that were out of sight are laid out in the next frames.
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(DOCS, `${file}.png`) });
  console.log(`docs/${file}.png`);
  await page.close();
}
await browser.close();
await server.close();
