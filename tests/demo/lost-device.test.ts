// A GPU that goes away in the middle of an answer: the page says so, opens the model on the CPU, and answers from the beginning.

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { ownProcesses } from "../support/load.js";
import { WEBGPU_TEST_FLAGS } from "../support/webgpu.js";
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

/** The browser's process for the GPU ends, as a driver that fails ends it: the loss comes from outside of the page. */
function endGpuProcess(): void {
  const pid = ownProcesses().find((one) => /--type=gpu-process/.test(readFileSync(`/proc/${one}/cmdline`, "utf8")));
  assert.ok(pid, "Chromium has a process for its GPU");
  process.kill(pid, "SIGKILL");
}

/** Name of the page's GPU target. */
async function gpuTarget(page: Page): Promise<string> {
  const names = await page.locator("#target option").evaluateAll((all) => all.map((one) => one.textContent ?? ""));
  const gpu = names.find((name) => name.includes("/webgpu-")) ?? "";
  assert.ok(gpu, names.join(", "));
  return gpu;
}

/** Asks on the GPU, loses it after the first piece, and waits for the answer. */
async function loseInMidAnswer(page: Page, gpu: string, lose: () => unknown): Promise<void> {
  await page.selectOption("#target", gpu);
  await statusIs(page, /^Ready: .*webgpu/);
  await page.click("#ask-button");
  await page.locator("#answer:not(:empty)").waitFor();
  assert.is(await page.isDisabled("#stop-button"), false);
  await lose();
  await statusIs(page, /^Answered/);
  const notes = (await page.textContent("#notes")) ?? "";
  assert.match(
    notes,
    /The GPU failed while it answered: .*the device was lost .*\. The answer begins anew on chromium\/wasm-/,
  );
  assert.match((await page.textContent("#model")) ?? "", /runs onchromium\/wasm-/);
  assert.is(await page.inputValue("#target"), "");
}

if (haveChromium()) {
  for (const [how, loseBy] of [
    ["destroyed", (page: Page) => coordinator(page).evaluate(loseDevice)],
    ["gone with its process", endGpuProcess],
  ] as const) {
    test(`a GPU that is ${how}: the CPU takes over, and the page goes on`, async () => {
      await withDemo(
        async ({ page, faults }) => {
          await page.uncheck("#with-picture");
          const text = await askDemo(page, "The whale");
          await coordinator(page).evaluate(keepDevices);
          const gpu = await gpuTarget(page);
          await loseInMidAnswer(page, gpu, () => loseBy(page));
          assert.is(await page.textContent("#answer"), text);
          assert.is(await askDemo(page, "The whale"), text);
          await page.selectOption("#target", gpu);
          await ready(page);
          assert.equal(faults, []);
        },
        { flags: WEBGPU_TEST_FLAGS },
      );
    });
  }
}

test.run();
