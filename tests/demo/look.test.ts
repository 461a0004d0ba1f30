// How the page looks where it can be measured: light and dark follow the system, every text stands out enough from what is behind
// it (WCAG 2.2, 1.4.3), and no width from a small phone to a desk scrolls sideways (less.test.ts has a benchmark on the page too).

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { askDemo, showSample, tooWide, withDemo } from "./page.js";

/** Contrast of the texts on the page, the lowest of each pair of colours. */
const lowContrasts = () => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (color: string) => {
    if (!canvas) return 0;
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): string => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!/rgba\(.*, 0\)|transparent/.test(backgroundColor)) return backgroundColor;
    }
    return "white";
  };
  const found = new Map<string, number>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!element?.checkVisibility() || !walker.currentNode.textContent?.trim()) continue;
    // Controls that cannot be used are excepted there.
    if (element.closest(":disabled, script, style, option, datalist")) continue;
    const [ink, paper] = [getComputedStyle(element).color, behind(element)];
    const [a, b] = [luminance(ink), luminance(paper)];
    found.set(`${ink} on ${paper}`, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return [...found];
};

const paper = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

if (haveChromium()) {
  test("light and dark follow the system, and texts stand out in both", async () => {
    await withDemo(async ({ page, faults }) => {
      await showSample(page, "digits.png");
      await askDemo(page, "how many sixes?");
      const papers: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        papers.push(await paper(page));
        const contrasts = await page.evaluate(lowContrasts);
        assert.ok(contrasts.length >= 4, `${contrasts.length} pairs of colours`);
        for (const [pair, contrast] of contrasts) assert.ok(contrast >= 4.5, `${colorScheme}: ${pair} is ${contrast}`);
      }
      assert.is.not(papers[0], papers[1]);
      assert.equal(faults, []);
    });
  });

  test("no width scrolls sideways, with an answer and its timeline on the page", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.uncheck("#with-picture");
      await askDemo(page, "The whale");
      await page.locator("#pool-chart canvas").waitFor();
      await page.locator("#timeline-table summary").click();
      assert.equal(await tooWide(page), []);
      assert.equal(faults, []);
    });
  });
}

test.run();
