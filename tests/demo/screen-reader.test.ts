// What a screen reader is told: the browser's accessibility tree has landmarks with names, a name for every control, live regions
// that speak of progress and answers, and tables with headers.

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium } from "../support/browser.js";
import { askDemo, showSample, withDemo } from "./page.js";

interface AxNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly value?: { readonly value: unknown };
  readonly properties?: readonly { readonly name: string; readonly value: { readonly value: unknown } }[];
}

async function tree(page: Page): Promise<AxNode[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return (nodes as AxNode[]).filter(({ ignored }) => !ignored);
}

const roleOf = ({ role }: AxNode) => role?.value ?? "";
const nameOf = ({ name }: AxNode) => name?.value ?? "";
const property = ({ properties }: AxNode, name: string) =>
  properties?.find((entry) => entry.name === name)?.value.value;

const CONTROLS = ["button", "combobox", "textbox", "slider", "checkbox", "radio", "listbox", "link", "spinbutton"];
const SECTIONS = [
  ...["Ask about a picture", "Where its memory is", "The last answer, epoch by epoch", "This device", "Model"],
  "Benchmark",
];

if (haveChromium()) {
  test("landmarks, names, headings, live regions and tables are told", async () => {
    await withDemo(async ({ page, faults }) => {
      await showSample(page, "digits.png");
      await askDemo(page, "how many sixes?");
      await page.locator("#timeline-table").waitFor();
      const nodes = await tree(page);
      const named = (role: string) => nodes.filter((node) => roleOf(node) === role).map(nameOf);
      assert.equal(named("region"), SECTIONS);
      for (const role of ["banner", "main", "contentinfo"]) assert.is(named(role).length, 1, role);
      assert.equal(
        nodes.filter((node) => roleOf(node) === "heading").map((node) => [property(node, "level"), nameOf(node)]),
        [[1, "Nibblemark"], ...SECTIONS.map((name) => [2, name])],
      );
      const silent = nodes.filter((node) => CONTROLS.includes(roleOf(node)) && nameOf(node).trim() === "");
      assert.equal(silent.map(roleOf), []);
      assert.ok(nodes.filter((node) => CONTROLS.includes(roleOf(node))).length > 25, "the controls are there at all");
      // The status, notes, and an answer of which only what is new is read out; figures that move with a slider keep silent.
      assert.equal(
        nodes
          .filter((node) => property(node, "live") === "polite")
          .map((node) => [roleOf(node), nameOf(node), property(node, "atomic") === true]),
        [
          ["status", "", true],
          ["list", "Notes", false],
          ["status", "Answer", false],
        ],
      );
      const picture = nodes.find((node) => ["image", "img"].includes(roleOf(node)));
      assert.is(picture && nameOf(picture), "The picture: digits.png");
      assert.ok(named("table").includes("Tokens a second while it answers"), named("table").join(", "));
      assert.ok(named("columnheader").includes("as placed"));
      assert.ok(named("rowheader").includes("LLaVA-1.5-7B in int4, modelled"));
      assert.ok(named("progressbar").length === 1 && named("progressbar")[0] !== "");
      assert.is(await page.getAttribute("html", "lang"), "en");
      assert.equal(faults, []);
    });
  });

  test("sliders tell their values in words", async () => {
    await withDemo(async ({ page, faults }) => {
      await page.locator("[name=latencyNs]").fill("800");
      await page.locator("[name=latencyNs][aria-valuetext='800 ns more than local memory']").waitFor();
      await page.locator("[name=bandwidthGBps]").fill("17");
      await page.locator("[name=bandwidthGBps][aria-valuetext='17 GB/s']").waitFor();
      await page.selectOption("[name=cache]", "mb");
      await page.locator("[name=cacheMb]").fill("3");
      await page.locator("[name=cacheMb][aria-valuetext='3 MB']").waitFor();
      assert.equal(faults, []);
    });
  });
}

test.run();
