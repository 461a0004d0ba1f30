// The scenario in the address: every key goes there and back, a copied link opens the same panel with the same figures, and
// going back in the history brings the earlier one.

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_SETTINGS, parseSettings, type Settings, settingsText } from "../../demo/src/settings.js";
import { haveChromium } from "../support/browser.js";
import { ready, withDemo } from "./page.js";

/** Longer than a phone is wide, and more than a note can name. */
const LONG = `question=${"x".repeat(120)}&${Array.from({ length: 20 }, (_, i) => `key${i}=1`).join("&")}`;

const OTHER: Settings = {
  ...{ topology: "cxl-remote", latencyNs: 640, bandwidthGBps: 17, cache: 3, clock: "spin" },
  ...{ weights: "half", kv: "far", vision: "near" },
};

test("every setting goes into the address and comes back; defaults are left out", () => {
  for (const settings of [OTHER, DEFAULT_SETTINGS, { ...OTHER, cache: "none" } as const]) {
    assert.equal(parseSettings(`#${settingsText(settings)}`), { settings, faults: [] });
  }
  assert.is(settingsText(DEFAULT_SETTINGS), "");
  assert.is(settingsText(OTHER).split("&").length, Object.keys(DEFAULT_SETTINGS).length);
});

test("what is out of range or unknown is named and stays as by default", () => {
  const text = "#latencyNs=-1&bandwidthGBps=1e9&cache=0&kv=moon&topology=&weights=far&color=red";
  for (const odd of ["latencyNs=%20", "latencyNs=", "bandwidthGBps=0x10", "cache=+3", "latencyNs=Infinity"]) {
    assert.is(parseSettings(odd).faults.length, 1, odd);
  }
  assert.is(parseSettings("latencyNs=1e3&cache=0.5e1").faults.length, 0);
  const { settings, faults } = parseSettings(text);
  assert.equal(settings, DEFAULT_SETTINGS);
  assert.equal(faults, ["latencyNs=-1", "bandwidthGBps=1e9", "cache=0", "kv=moon", "topology=", "color=red"]);
});

/** All that the panel shows. */
const panel = async (page: Page) => {
  await page.locator("#speeds tr[data-row=shape]").waitFor();
  const form = await page.locator("#memory").evaluate((form) => [...new FormData(form as HTMLFormElement)]);
  return { form, speeds: await page.textContent("#speeds tr[data-row=shape]") };
};

if (haveChromium()) {
  test("a link opens the panel it was copied from", async () => {
    await withDemo(async ({ page, url, open, faults }) => {
      for (const name of ["topology", "weights", "kv", "vision"] as const) {
        await page.selectOption(`[name=${name}]`, OTHER[name]);
      }
      await page.selectOption("[name=cache]", "mb");
      await page.locator("[name=cacheMb]").fill(String(OTHER.cache));
      await page.locator("[name=latencyNs]").fill(String(OTHER.latencyNs));
      await page.locator("[name=bandwidthGBps]").fill(String(OTHER.bandwidthGBps));
      await page.check("[name=clock][value=spin]");
      await page.locator("#bandwidth-value", { hasText: "17 GB/s, moved" }).waitFor();
      const link = page.url();
      assert.is(link, `${url}#${settingsText(OTHER)}`);
      const other = await open(link);
      await ready(other.page);
      await other.page.locator("#bandwidth-value", { hasText: "17 GB/s, moved" }).waitFor();
      assert.equal(await panel(other.page), await panel(page));
      await other.page.goto(`${url}#topology=local`);
      await other.page.locator("#speeds tr[data-row=shape]", { hasText: "1.00x" }).waitFor();
      assert.is(await other.page.inputValue("[name=topology]"), "local");
      await other.page.setViewportSize({ width: 390, height: 800 });
      await other.page.goto(`${url}#cache=none&${LONG}`);
      const note = (await other.page.locator("#notes li", { hasText: "xxx" }).textContent()) ?? "";
      assert.match(note, /question=x{31}\.\.\., key0=1.* and 15 more, which is unknown/);
      assert.ok((await other.page.evaluate(() => document.documentElement.scrollWidth)) <= 390, "the note is too wide");
      await other.page.locator("#fits", { hasText: "as if there were no cache." }).waitFor();
      assert.equal([...faults, ...other.faults], []);
    });
  });
}

test.run();
