// The worker does one piece of work after another. What comes during a benchmark says that it waits, Stop stops what it belongs
// to and nothing else, and what is stopped while it waits is never done.

import { join } from "node:path";
import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQueue } from "../../demo/src/worker/queue.js";
import { haveChromium } from "../support/browser.js";
import { root } from "../support/root.js";
import { benchFirstTarget, dropFiles, showSample, statusIs, withDemo } from "./page.js";

const samples = join(root, "models", "nibblemark-llava-2m", "samples");

test("a stop reaches the work that it names, and work that waits never begins after its own", async () => {
  const done: string[] = [];
  const begun: number[] = [];
  const queue = openQueue((id, { kind }) => void done.push(`${id} ${kind}`));
  const work = (id: number) =>
    queue.add(id, async () => {
      begun.push(id);
      await new Promise((next) => setTimeout(next, 10));
      return { kind: "failed", message: String(queue.stopped()) };
    });
  for (const id of [1, 2, 3]) work(id);
  await new Promise((next) => setTimeout(next, 0));
  queue.stop(2);
  assert.is(queue.stopped(), false);
  queue.stop(1);
  assert.is(queue.stopped(), true);
  queue.stop(99);
  await new Promise((next) => setTimeout(next, 60));
  assert.equal(begun, [1, 3]);
  assert.equal(done, ["2 stopped", "1 failed", "3 failed"]);
  assert.is(queue.stopped(), false);
});

/** A slider by keys while the worker measures: none is lost, and it never jumps back. */
async function pressSlowly(page: Page): Promise<void> {
  const slider = page.locator("#latency");
  const values = [Number(await slider.inputValue())];
  await slider.focus();
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(30);
    values.push(Number(await slider.inputValue()));
  }
  const [first = 0] = values;
  assert.equal(
    values,
    values.map((_, i) => first + 5 * i),
  );
  assert.is(await page.textContent("#latency-value"), `+${first + 200} ns, moved`);
}

if (haveChromium()) {
  test("during a benchmark questions, pictures and calibration say that they wait; Stop leaves it running", async () => {
    await withDemo(async ({ page, faults }) => {
      const stage = page.locator("#bench-stage");
      const label = () => page.getAttribute("#canvas", "aria-label");
      await showSample(page, "digits.png");
      await benchFirstTarget(page);
      await stage.filter({ hasText: /measuring/ }).waitFor();
      await page.click("#ask-button");
      await statusIs(page, /^The question waits until the benchmark has ended\.$/);
      await page.click("#stop-button");
      await statusIs(page, /^Stopped: the question was not answered\.$/);
      await dropFiles(page, [join(samples, "shape.png")]);
      await statusIs(page, /^shape\.png waits until the benchmark has ended\.$/);
      assert.is(await page.isEnabled("#bench-stop"), true);
      assert.match((await stage.textContent()) ?? "", /measuring/);
      await page.click("#bench-stop");
      await page.locator("#canvas[aria-label='The picture: shape.png']").waitFor();
      assert.is(await stage.textContent(), "Cancelled");
      const bar = page.locator("#bench-progress");
      assert.ok(
        await bar.evaluate((found) => (found as HTMLProgressElement).position < 1),
        "a cancelled bar is not full",
      );
      assert.is(await page.textContent("#answer"), "");

      // All targets: long enough for what follows.
      for (const box of await page.locator("#bench-targets input:enabled").all()) await box.check();
      await page.click("#bench-run");
      await stage.filter({ hasText: /measuring/ }).waitFor();
      await dropFiles(page, [join(samples, "digits.png")]);
      await statusIs(page, /^digits\.png waits/);
      await page.selectOption('[data-cell="0"]', "3");
      await page.selectOption('[data-cell="0"]', "");
      assert.is(await label(), "The picture: digits none, none, none, none");
      await pressSlowly(page);
      await page.click("#calibrate");
      const waits = await statusIs(page, /^The calibration waits until the benchmark has ended\.$/);
      const done = () => bar.evaluate((found) => (found as HTMLProgressElement).value);
      for (const before = await done(); (await done()) === before; ) await page.waitForTimeout(20);
      assert.is(await page.textContent("#status"), waits, "the benchmark's progress is not the calibration's");
      await page.click("#bench-stop");
      await statusIs(page, /^(Calibrating|Cancelled)/);
      assert.is(await label(), "The picture: digits none, none, none, none", "what was drawn meanwhile stays");
      assert.equal(faults, []);
    });
  });
}

test.run();
