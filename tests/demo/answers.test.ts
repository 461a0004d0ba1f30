// The demo answers questions about the sample pictures, a drawn grid and a text, on every WebAssembly target of the browser.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { WEBGPU_TEST_FLAGS } from "../support/webgpu.js";
import { askDemo, ready, showSample, statusIs, withDemo } from "./page.js";

/** What the shipped samples show, and what is asked of them. */
const SAMPLES = [
  ["digits.png", "which digit is top left?", "0"],
  ["digits.png", "what is the bottom left digit?", "5"],
  ["digits.png", "how many sixes?", "2"],
  ["digits.png", "is the top right digit larger than the top left one?", "yes"],
] as const;
const GRID = [3, 7, 4, 2];

if (haveChromium()) {
  test("the sample questions are answered right on every WASM target, without a console error", async () => {
    await withDemo(async ({ page, faults }) => {
      const targets = await page
        .locator("#target option")
        .evaluateAll((all) => all.map((one) => one.getAttribute("value")));
      const wasm = targets.filter((name): name is string => name?.includes("/wasm-") ?? false);
      assert.ok(wasm.length >= 3, wasm.join(", "));
      for (const target of wasm) {
        await page.selectOption("#target", target);
        await ready(page);
        for (const [sample, question, answer] of SAMPLES) {
          await showSample(page, sample);
          assert.is((await askDemo(page, question)).trim(), answer, `${target}: ${question}`);
        }
      }
      assert.equal(faults, []);
    });
  });

  test("the sample questions are answered right on WebGPU, on the browser's software adapter", async () => {
    await withDemo(
      async ({ page, faults }) => {
        const targets = await page
          .locator("#target option")
          .evaluateAll((all) => all.map((one) => one.getAttribute("value") ?? ""));
        const target = targets.find((name) => name.includes("/webgpu-"));
        assert.ok(target, targets.join(", "));
        assert.match((await page.textContent("#device")) ?? "", /WebGPU.*software: correct, not fast/);
        await page.selectOption("#target", target ?? "");
        await statusIs(page, /^Ready: .*webgpu/);
        for (const [sample, question, answer] of SAMPLES) {
          await showSample(page, sample);
          assert.is((await askDemo(page, question)).trim(), answer, `${target}: ${question}`);
        }
        assert.equal(faults, []);
      },
      { flags: WEBGPU_TEST_FLAGS },
    );
  });

  test("grids of chosen and of drawn digits are read right, and a text goes on token by token until it is stopped", async () => {
    await withDemo(async ({ page, faults }) => {
      for (const [place, digit] of GRID.entries()) await page.selectOption(`[data-cell="${place}"]`, String(digit));
      for (const [place, name] of ["top left", "top right", "bottom left", "bottom right"].entries()) {
        assert.is((await askDemo(page, `which digit is ${name}?`)).trim(), String(GRID[place]), name);
      }
      const box = await page.locator("#canvas").boundingBox();
      assert.ok(box);
      await page.selectOption('[data-cell="0"]', "");
      await page.mouse.move(box.x + 0.27 * box.width, box.y + 0.08 * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.23 * box.width, box.y + 0.42 * box.height, { steps: 12 });
      await page.mouse.up();
      assert.is(await page.getAttribute("#canvas", "aria-label"), "The picture: drawn by hand");
      assert.is((await askDemo(page, "which digit is top left?")).trim(), "1");
      await page.uncheck("#with-picture");
      assert.ok((await askDemo(page, "The whale")).length > 20);
      assert.match((await page.textContent("#answer-facts")) ?? "", /64 epochs of text/);
      await statusIs(page, /^Answered/);
      assert.equal(faults, []);
    });
  });
}

test.run();
