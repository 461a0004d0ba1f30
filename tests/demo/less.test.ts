// Browsers and hosts that offer less: no isolation, no WebGPU, blocked storage, no network, a tab in the background. The page
// says what is missing and goes on.

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { askDemo, benchFirstTarget, downloadedResult, ready, showSample, statusIs, tooWide, withDemo } from "./page.js";

const device = async (page: Page) => (await page.textContent("#device")) ?? "";

const answers = async (page: Page) => {
  await showSample(page, "digits.png");
  assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
};

/** As in a browser that lets pages store nothing. */
const blockStorage = () => {
  const refuse = () => {
    throw new DOMException("storage is blocked", "SecurityError");
  };
  Object.defineProperty(globalThis, "localStorage", { get: refuse });
  Object.defineProperty(navigator.serviceWorker, "register", { value: async () => refuse() });
};

/** The tab as its browser tells the page of it. */
const putAway = (state: string) => {
  Object.defineProperty(document, "hidden", { configurable: true, value: state === "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
};

if (haveChromium()) {
  test("without isolation and WebGPU it answers on one thread and says why", async () => {
    await withDemo(
      async ({ page, faults }) => {
        assert.match((await page.textContent("#notes")) ?? "", /runs without threads: its host sends no isolation/);
        assert.match(await device(page), /threads1: this page is not cross-origin isolated/);
        assert.match(await device(page), /WebGPUno(t here| adapter).*runs on WebAssembly/);
        assert.match((await page.textContent("#status")) ?? "", /\/1t\.$/);
        await answers(page);
        assert.equal(faults, []);
      },
      { isolated: false },
    );
  });

  test("with storage blocked it goes on, and says that nothing is kept", async () => {
    await withDemo(async ({ url, open, faults }) => {
      assert.equal(faults, []);
      const other = await open("about:blank");
      await other.page.addInitScript(blockStorage);
      await other.page.goto(url);
      await ready(other.page);
      await other.page.locator("#device dd", { hasText: "refused to keep the page" }).waitFor();
      await answers(other.page);
      assert.equal(other.faults, []);
    });
  });

  test("on a phone nothing is cut off, and the keyboard alone chooses digits and asks", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.focus('[data-cell="0"]');
      await page.keyboard.press("7");
      await page.focus("#question");
      await page.keyboard.press("Enter");
      await statusIs(page, /^Answered/);
      assert.is((await page.textContent("#answer"))?.trim(), "7");
      await page.locator("#pool-chart canvas").waitFor();
      const widths = () => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      const [content = 0, screen = 0] = await widths();
      assert.ok(content <= screen, `${content} pixels on a screen of ${screen}`);
      const unnamed = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLInputElement>("input, select")]
          .filter((field) => (field.labels?.length ?? 0) === 0)
          .map((field) => field.id || field.name),
      );
      assert.equal(unnamed, []);
      assert.equal(faults, []);
    });
  });

  test("a second visit needs no network", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.locator("#device dd", { hasText: "kept for the next visit" }).waitFor();
      await page.context().setOffline(true);
      await page.reload();
      await ready(page);
      await answers(page);
      assert.equal(faults, []);
    });
  });

  test("a benchmark waits while its tab is in the background, and a cancelled one shows what it has", async () => {
    await withDemo(async ({ page, faults }) => {
      await benchFirstTarget(page);
      await page.locator("#bench-stage", { hasText: /measuring/ }).waitFor();
      await page.evaluate(putAway, "hidden");
      await page.locator("#notes li", { hasText: "Paused while this tab" }).waitFor();
      await page.evaluate(putAway, "visible");
      await page.locator("#notes li", { hasText: "Goes on." }).waitFor();
      await page.click("#bench-stop");
      await statusIs(page, /^Cancelled: these are the results so far/);
      await page.click("#bench-run");
      await statusIs(page, /^Measured/);
      assert.match((await page.textContent("#bench-result")) ?? "", /tg16/);
      const result = await downloadedResult(page);
      assert.is(result.schemaVersion, 1);
      assert.ok(result.cases.every(({ state }) => state === "measured"));
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.click("#copy-markdown");
      await statusIs(page, /^Copied/);
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), /\| tg16 \|/);
      await page.evaluate(() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
      });
      for (let presses = 0; presses < 2; presses++) {
        await page.click("#copy-markdown");
        await statusIs(page, /copy it from the box/);
      }
      assert.is(await page.locator("#bench-result textarea").count(), 1);
      assert.equal(await tooWide(page), []);
      assert.equal(faults, []);
    });
  });
}

test.run();
