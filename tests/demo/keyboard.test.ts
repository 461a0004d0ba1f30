// The whole page by keyboard alone: Tab comes to every control in reading order, each shows its focus, and choosing digits, asking,
// moving memory, calibrating options and a cancelled benchmark need no mouse.

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { speed, statusIs, withDemo } from "./page.js";

interface Focused {
  readonly name: string;
  readonly top: number;
  readonly outlined: boolean;
}

const focused = (page: Page): Promise<Focused> =>
  page.evaluate(() => {
    const at = document.activeElement as HTMLInputElement;
    const style = getComputedStyle(at);
    const name = at.id || (at.name && (at.type === "radio" ? `${at.name}=${at.value}` : at.name));
    const other = at.dataset.cell ? `cell ${at.dataset.cell}` : (at.dataset.sample ?? at.tagName);
    const outlined = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
    return { name: name || other, top: at.getBoundingClientRect().top + scrollY, outlined };
  });

/** Presses Tab until a control has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if ((await focused(page)).name === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never comes to ${name}`);
}

/** What must be reached, in this order. */
const ORDER = [
  ..."cell 0,cell 1,cell 2,cell 3,random,clear,digits.png,shape.png,picture-file,question,ask-button,with-picture".split(
    ",",
  ),
  ..."topology,latency,bandwidth,preset,weights,kv,vision,cache,clock=virtual,calibrate,target,model-files,shipped".split(
    ",",
  ),
  ..."bench-shape,bench-run".split(","),
];

if (haveChromium()) {
  test("Tab comes to every control in reading order, and each shows its focus", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.keyboard.press("Tab");
      assert.is(await page.evaluate(() => document.activeElement?.textContent), "Skip to the question");
      assert.ok(await page.locator(".skip:focus").isVisible());
      const seen: string[] = [];
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press("Tab");
        const { name, outlined } = await focused(page);
        if (name === "BODY") break;
        assert.ok(outlined, `${name} does not show its focus`);
        seen.push(name);
      }
      assert.equal(
        seen.filter((name) => ORDER.includes(name)),
        ORDER,
      );
      assert.equal(faults, []);
    });
  });

  test("digits, question, sliders, spin clock and a cancelled benchmark by keys alone", async () => {
    await withDemo(async ({ page, faults }) => {
      await tabTo(page, "cell 0");
      for (const digit of ["3", "7", "4", "2"]) {
        await page.keyboard.press(digit);
        await page.keyboard.press("Tab");
      }
      await tabTo(page, "question");
      await page.keyboard.press("Control+A");
      await page.keyboard.type("which digit is bottom left?");
      await page.keyboard.press("Enter");
      await statusIs(page, /^Answered/);
      assert.is((await page.textContent("#answer"))?.trim(), "4");

      await tabTo(page, "latency");
      const before = await speed(page, "shape", 2);
      for (let i = 0; i < 5; i++) await page.keyboard.press("PageUp");
      await page.locator("#latency-value", { hasText: "moved" }).waitFor();
      await page.locator("#speeds[data-scenario*=latencyNs]").waitFor();
      assert.ok((await speed(page, "shape", 2)) < before);
      await tabTo(page, "cache");
      await page.keyboard.press("n");
      await page.locator("#fits[data-fits=false]").waitFor();
      await tabTo(page, "clock=virtual");
      await page.keyboard.press("ArrowDown");
      await page.waitForURL(/clock=spin/);

      await tabTo(page, "bench-run");
      await page.keyboard.press("Enter");
      await page.locator("#bench-stage", { hasText: /measuring/ }).waitFor();
      await tabTo(page, "bench-stop");
      await page.keyboard.press("Space");
      await statusIs(page, /^Cancelled: these are the results so far/);
      assert.equal(faults, []);
    });
  });
}

test.run();
