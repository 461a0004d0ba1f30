// The demo in Firefox: the sample questions are answered right on one thread and on all, a scenario in the address holds, nothing
// is reported as an error. Where Firefox finds a Vulkan driver, on WebGPU too.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { withServer } from "../support/browser.js";
import { type FirefoxPage, haveFirefox, withFirefox } from "../support/firefox.js";
import { siteOptions } from "./page.js";

const SAMPLES = [
  ["which digit is top left?", "0"],
  ["how many sixes?", "2"],
  ["is the top right digit larger than the top left one?", "yes"],
] as const;

const textOf = (page: FirefoxPage, selector: string) =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent`) as Promise<string>;

async function statusIs(page: FirefoxPage, pattern: RegExp): Promise<void> {
  const source = `${pattern}.test(document.querySelector("#status").textContent)`;
  await page.waitForFunction(source, { timeout: 60_000 }).catch(async () => {
    throw new Error(`the status is "${await textOf(page, "#status")}", not ${pattern}`);
  });
}

async function askFirefox(page: FirefoxPage, question: string): Promise<string> {
  await page.evaluate(`document.querySelector("#question").value = ${JSON.stringify(question)}`);
  await page.click("#ask-button");
  await statusIs(page, /^Answered/);
  return (await textOf(page, "#answer")).trim();
}

if (haveFirefox()) {
  test("Firefox answers the sample questions right, on every target that it has", async () => {
    await withServer(async ({ url }) => {
      await withFirefox(async (page, faults) => {
        await page.goto(`${url}#topology=cxl-switch&cache=1&kv=far`);
        await statusIs(page, /^Ready: /);
        const targets = (await page.evaluate(
          `JSON.stringify([...document.querySelectorAll("#target option")].map((one) => one.value).filter(Boolean))`,
        )) as string;
        const names = JSON.parse(targets) as string[];
        console.log(`targets in Firefox: ${names.join(", ")}`);
        assert.ok(names.filter((name) => name.startsWith("firefox/wasm-")).length >= 3, targets);
        assert.ok(
          names.some((name) => name.endsWith("/2t")),
          "isolated: threads",
        );
        await page.click('button[data-sample="digits.png"]');
        await statusIs(page, /^digits\.png: 64 x 64/);
        for (const name of names) {
          await page.select("#target", name);
          await statusIs(page, new RegExp(`^Ready: .* on ${name.replaceAll("/", "\\/")}`));
          for (const [question, answer] of SAMPLES) {
            assert.is(await askFirefox(page, question), answer, `${name}: ${question}`);
          }
        }
        assert.match(await textOf(page, "#speeds-about"), /kv=interleave\(cxl0:1,cxl1:1\)/);
        await page.waitForFunction(`document.querySelectorAll(".charts canvas").length === 2`, { timeout: 20_000 });
        await page.waitForFunction(`/kept for the next visit/.test(document.querySelector("#device").textContent)`, {
          timeout: 60_000,
        });
        assert.equal(faults, []);
      });
    }, siteOptions);
  });
}

test.run();
