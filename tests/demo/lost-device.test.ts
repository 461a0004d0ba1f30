// A GPU that goes away in the middle of an answer: the page says so, opens the model on the CPU, and answers from the beginning.

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { askDemo, ready, statusIs, withDemo } from "./page.js";

/** Keeps the devices that a worker asks for within reach. */
const keepDevices = () => {
  const kept: { destroy(): void }[] = [];
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await request.apply(this, args);
    kept.push(device);
    return device;
  };
  Object.assign(globalThis, { kept });
};

const loseDevice = () => {
  for (const device of (globalThis as unknown as { kept: { destroy(): void }[] }).kept) device.destroy();
};

/** The page's coordinator: the worker that all others are started by. */
function coordinator(page: Page) {
  const found = page.workers().find((worker) => /\/main-/.test(worker.url()));
  assert.ok(
    found,
    page
      .workers()
      .map((worker) => worker.url())
      .join(", "),
  );
  return found;
}

if (haveChromium()) {
  test("the CPU takes over, and the page goes on", async () => {
    await withDemo(
      async ({ page, faults }) => {
        await page.uncheck("#with-picture");
        const text = await askDemo(page, "The whale");
        await coordinator(page).evaluate(keepDevices);
        const names = await page
          .locator("#target option")
          .evaluateAll((all) => all.map((one) => one.textContent ?? ""));
        const gpu = names.find((name) => name.includes("/webgpu-")) ?? "";
        assert.ok(gpu, names.join(", "));
        await page.selectOption("#target", gpu);
        await statusIs(page, /^Ready: .*webgpu/);
        await page.click("#ask-button");
        await page.locator("#answer:not(:empty)").waitFor();
        assert.is(await page.isDisabled("#stop-button"), false);
        await coordinator(page).evaluate(loseDevice);
        await statusIs(page, /^Answered/);
        const notes = (await page.textContent("#notes")) ?? "";
        assert.match(notes, /The GPU failed while it answered: .*\. The answer begins anew on chromium\/wasm-/);
        assert.match((await page.textContent("#model")) ?? "", /runs onchromium\/wasm-/);
        assert.is(await page.inputValue("#target"), "");
        assert.is(await page.textContent("#answer"), text);
        assert.is(await askDemo(page, "The whale"), text);
        await page.selectOption("#target", gpu);
        await ready(page);
        assert.equal(faults, []);
      },
      { flags: ["--enable-unsafe-webgpu"] },
    );
  });
}

test.run();
