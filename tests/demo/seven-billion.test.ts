// What the shipped model cannot show, since it fits in a cache: one layer of LLaVA-1.5-7B's shape in the benchmark, with its full
// depth extrapolated, and its modelled speed beside the panel's sliders.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { benchFirstTarget, downloadedResult, speed, statusIs, withDemo } from "./page.js";

if (haveChromium()) {
  test("the benchmark's 7B option runs beside the shipped model, tells how far it is, and names its machine", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.check("#bench-shape");
      await benchFirstTarget(page);
      assert.is(await page.isDisabled("#bench-run"), true);
      await page.locator("#bench-stage", { hasText: /llava-1\.5-7b/ }).waitFor({ timeout: 60_000 });
      assert.ok(Number(await page.getAttribute("#bench-progress", "max")) > 1);
      await statusIs(page, /^Measured/);
      const text = (await page.textContent("#bench-result")) ?? "";
      assert.match(text, /llava-1\.5-7b \(1 of 32 layers\)/);
      assert.match(text, /extrapolated/);
      const result = await downloadedResult(page);
      const measured = result.cases.filter((entry) => entry.state === "measured");
      assert.equal([...new Set(measured.map(({ test }) => test))], ["vision", "pp64", "tg16", "ttft16", "pp16", "tg8"]);
      assert.ok(measured.every((entry) => entry.samplesNs.length === 9));
      const { memoryBytes } = result.environment;
      assert.ok(memoryBytes === null || memoryBytes >= 2 ** 28, `memory ${memoryBytes}`);
      assert.equal(faults, []);
    });
  });

  test("its modelled speed follows the sliders while the shipped model's stays, as if the cache were N MB or not", async () => {
    await withDemo(async ({ page, faults }) => {
      const shape = await speed(page, "shape", 2);
      const own = await speed(page, "modelled", 2);
      await page.locator("[name=latencyNs]").fill("2000");
      await page.locator("#latency-value", { hasText: "+2,000 ns, moved" }).waitFor();
      await page.locator("#speeds[data-scenario*='latencyNs=2000']").waitFor();
      assert.ok((await speed(page, "shape", 2)) < 0.7 * shape);
      assert.is(await speed(page, "modelled", 2), own);
      await page.selectOption("[name=cache]", "mb");
      await page.locator("#fits[data-fits=false]").waitFor();
      assert.match((await page.textContent("#fits")) ?? "", /as if the cache were 1 MB/);
      const small = await speed(page, "modelled", 2);
      assert.ok(small < 0.7 * own, `${small} of ${own} tokens/s`);
      await page.locator("[name=cacheMb]").fill("64");
      await page.locator("#fits[data-fits=true]").waitFor();
      assert.is(await speed(page, "modelled", 2), own);
      assert.match(page.url(), /cache=64/);
      await page.selectOption("[name=topology]", "local");
      await page.locator("#speeds tr[data-row=shape]", { hasText: "1.00x" }).waitFor();
      assert.is(await page.isDisabled("[name=latencyNs]"), true);
      assert.equal(faults, []);
    });
  });
}

test.run();
