// Calibration in the page: it tells how far it is, shows what it measured, predictions use that profile from then on, and a
// second visit still does.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { ready, statusIs, withDemo } from "./page.js";

if (haveChromium()) {
  test("the calibrate button measures this machine, and predictions use it, also on the next visit", async () => {
    await withDemo(async ({ page, faults }) => {
      const about = page.locator("#speeds-about");
      assert.match((await about.textContent()) ?? "", /host profile default \(frozen\) \(assumed\)/);
      await page.click("#calibrate");
      assert.is(await page.isDisabled("#calibrate"), true);
      assert.match(await statusIs(page, /^Calibrating: /), /\(\d+ of \d+\)/);
      await statusIs(page, /^Calibrated\. Predictions now use/);
      assert.is(await page.isDisabled("#calibrate"), false);
      const tables = await page.locator("#calibration caption").allTextContents();
      assert.ok(tables.length >= 3, tables.join(", "));
      const figures = (await page.textContent("#calibration")) ?? "";
      assert.match(figures, /GB\/s/);
      assert.match(figures, / ns/);
      await about.filter({ hasText: "(measured)" }).waitFor();
      const profile = await about.textContent();
      await page.reload();
      await ready(page);
      await about.filter({ hasText: "(measured)" }).waitFor();
      assert.is(await about.textContent(), profile);
      assert.equal(faults, []);
    });
  });

  test("what an earlier visit left behind and cannot be read is told, and the shipped profile holds", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.evaluate(() => localStorage.setItem("nibblemark-calibration", '{"schemaVersion": 1'));
      await page.reload();
      await ready(page);
      await page.locator("#notes li", { hasText: "stored calibration" }).waitFor();
      assert.match((await page.textContent("#speeds-about")) ?? "", /default \(frozen\)/);
      assert.equal(faults, []);
    });
  });
}

test.run();
