// The panel's sliders change the modelled figures as the harness's own delay model says in Node: same op lists, same
// placement, same profile, so the same bits. The scenario stands in the address; the spin clock really takes its time.

import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { dryBackend } from "../../src/cli/parts/dry.js";
import { modelledNs } from "../../src/core/delay.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import type { Topology } from "../../src/core/topology.js";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { buildGraph } from "../../src/model/graph.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { placeTensors } from "../../src/placement/place.js";
import { loadDefaultHost, loadTopology } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";
import { haveChromium } from "../support/browser.js";
import { askDemo, speed, withDemo } from "./page.js";

const DEPTH = 48;
const TOKENS = 8;
const platform = nodePlatform();

/** Epochs of eight tokens of the shipped model, worked out in Node. */
async function tokenEpochs(): Promise<{ specs: readonly TensorSpec[]; epochs: (readonly Op[])[] }> {
  const model = await openModel(platform, platform.packagePath("models/nibblemark-llava-2m"));
  const graph = buildGraph(model.config, { plan: planOf("int8"), activations: "int8" });
  await closeModel(model);
  const epochs: (readonly Op[])[] = [];
  const target = { host: "node", backend: "wasm", variant: "simd", threads: 1 } as const;
  const session = openSession({ graph, backend: dryBackend(graph, target) }, ({ ops }, submit) => {
    epochs.push(ops);
    return submit();
  });
  await session.next(new Array<number>(DEPTH).fill(0));
  epochs.length = 0;
  for (let i = 0; i < TOKENS; i++) await session.next([0]);
  return { specs: graph.tensors, epochs };
}

async function modelledSpeed(topology: Topology, rules: string[], llcBytes: number, threads: number): Promise<number> {
  const { specs, epochs } = await tokenEpochs();
  const traffic = await openTrafficModel(platform);
  const record = traffic.record({ specs, epochs, llcBytes, warmPasses: 1 });
  const host = await loadDefaultHost(platform);
  const placed = placeTensors(topology, specs, rules);
  const { total } = traffic.evaluate(record, placed, { host, threads, measuredNs: null });
  return (TOKENS * 1e9) / modelledNs(total).value;
}

const ASIDE = ["vision=dram", "projector=dram", "kv=cxl0"];

if (haveChromium()) {
  test("moved sliders give what the delay model gives in Node, and stand in the address", async () => {
    await withDemo(async ({ page, faults }) => {
      const threads = Number(/\/(\d+)t/.exec((await page.textContent("#status")) ?? "")?.[1]);
      const fits = page.locator("#fits");
      assert.is(await fits.getAttribute("data-fits"), "true");
      assert.match((await fits.textContent()) ?? "", /stays in the cache .* far memory costs nothing/);
      assert.is(await speed(page, "modelled", 1), await speed(page, "modelled", 2));
      assert.ok((await speed(page, "shape", 1)) > 1.5 * (await speed(page, "shape", 2)), "a 7B model feels it");

      await page.selectOption("[name=cache]", "none");
      await page.selectOption("[name=kv]", "far");
      await page.selectOption("[name=vision]", "near");
      await page.locator("#fits[data-fits=false]").waitFor();
      await page.locator("#speeds-about", { hasText: ASIDE.join(", ") }).waitFor();
      const preset = await loadTopology(platform, "cxl-1hop");
      const before = await speed(page, "modelled", 2);
      assert.is(before, await modelledSpeed(preset, ["weights=cxl0", ...ASIDE], 0, threads));

      const slider = page.locator("[name=latencyNs]");
      await slider.fill("800");
      await page.locator("#latency-value", { hasText: "+800 ns, moved" }).waitFor();
      await page.locator("#speeds[data-scenario*='latencyNs=800']").waitFor();
      const pools = preset.pools.map((pool) =>
        pool.kind === "local"
          ? pool
          : { ...pool, readAdderNs: 800, writeAdderNs: pool.writeAdderNs + 800 - pool.readAdderNs },
      );
      const after = await speed(page, "modelled", 2);
      assert.is(after, await modelledSpeed({ ...preset, pools }, ["weights=cxl0", ...ASIDE], 0, threads));
      assert.ok(after < before);

      const { hash } = new URL(page.url());
      assert.equal(Object.fromEntries(new URLSearchParams(hash.slice(1))), {
        ...{ latencyNs: "800", cache: "none", kv: "far", vision: "near" },
      });
      assert.equal(faults, []);
    });
  });

  test("an address holds a scenario; what it says wrongly is named; spin makes the answer at least as slow as predicted", async () => {
    const hash = "#topology=cxl-remote&cache=none&latencyNs=2000&clock=spin&weights=nowhere";
    await withDemo(
      async ({ page, faults }) => {
        assert.match((await page.textContent("#notes")) ?? "", /weights=nowhere, which is unknown/);
        assert.is(await page.inputValue("[name=topology]"), "cxl-remote");
        await page.uncheck("#with-picture");
        await askDemo(page, "The whale");
        const spun = await sums(page, (waited) => waited > 0);
        const wanted = spun.predicted - spun.measured;
        // Never shorter; longer where another program took the core meanwhile.
        assert.ok(spun.waited > 0.98 * wanted, `waited ${spun.waited} ms of ${wanted} ms`);
        assert.ok(wanted > 0.2 * spun.measured, `${wanted} ms beside ${spun.measured} ms`);
        await page.check("[name=clock][value=virtual]");
        await askDemo(page, "The whale");
        await sums(page, (waited) => waited === 0);
        assert.equal(faults, []);
      },
      { hash },
    );
  });
}

/** Sums over the timeline's table, once they are those of the answer that was just given. */
async function sums(page: Page, isNew: (waited: number) => boolean) {
  const rows = page.locator("#timeline-table tbody tr");
  for (let tries = 0; tries < 100; tries++) {
    const cells = await rows.evaluateAll((all) =>
      all.map((row) => [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent))),
    );
    const column = (at: number) => cells.reduce((sum, row) => sum + (row[at] ?? 0), 0);
    if (cells.length > 0 && isNew(column(2))) return { measured: column(1), waited: column(2), predicted: column(3) };
    await page.waitForTimeout(100);
  }
  throw new Error("the timeline does not show the answer");
}

test.run();
