// `calibrate` in a real browser: the command starts Chromium and stores what a page measured; a page without cross-origin
// isolation measures what one thread and a coarse clock can tell.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { captureEnvironment } from "../../src/cli/parts/environment.js";
import { type CoordinatorEvent, type FinalEvent, isFinal } from "../../src/cli/protocol.js";
import type { Calibration } from "../../src/core/calibration.js";
import { startPageCoordinator } from "../../src/hosts/page.js";
import { parseHost } from "../../src/placement/calibration.js";
import { haveChromium, packageFolders, withChromium } from "../support/browser.js";
import { root } from "../support/root.js";

const chromium = haveChromium();
const folder = mkdtempSync(join(tmpdir(), "nibblemark-page-"));
const MINUTE_S = 60;

function checkMachine({ profile, chase, levels }: Calibration): void {
  assert.match(profile.name, /chromium/);
  assert.ok((chase[0]?.nearNs ?? 0) > 0.2, "a load from the first cache takes time, however coarse the clock");
  assert.ok(profile.idleNs > 5 * (chase[0]?.nearNs ?? 0), "memory is further away than the first cache");
  assert.ok(levels.length > 1);
  assert.ok(Object.values(profile.computeRates).every((rate) => Number.isFinite(rate) && rate > 0));
}

if (chromium) {
  test("calibrate --host chromium stores a profile of the browser", () => {
    const out = join(folder, "host.json");
    const cli = join(root, "scripts", "nibblemark.mjs");
    const text = execFileSync(process.execPath, [cli, "calibrate", "--host", "chromium", "--out", out, "-q"], {
      cwd: root,
      encoding: "utf8",
    });
    assert.match(text, /Host profile, measured in/);
    const stored = readFileSync(out, "utf8");
    const calibration = JSON.parse(stored) as Calibration;
    assert.match(calibration.environment.runtime, /^chromium \d+.*, isolated$/);
    checkMachine(calibration);
    assert.ok(calibration.seconds <= MINUTE_S, `${calibration.seconds} s`);
    assert.ok(
      calibration.bandwidth.some(({ threads }) => threads > 1),
      "several threads",
    );
    assert.ok(calibration.clockStepNs >= 1000, `the clock of a page is coarse: ${calibration.clockStepNs} ns`);
    assert.match(calibration.notes.join("; "), /clock here steps by/);
    assert.is(parseHost(out, stored).hash, calibration.profile.hash);
  });

  test("a page without isolation: one thread, a coarser clock, and both are said", async () => {
    const environment = captureEnvironment();
    const { event, faults } = await withChromium(async (open) => {
      let opened: ReturnType<typeof open> | undefined;
      const { done } = startPageCoordinator<never, CoordinatorEvent, FinalEvent>(
        { folders: packageFolders, isolated: false, open: null, onAddress: (url) => (opened = open(url)) },
        { kind: "calibrate", environment },
        () => {},
        isFinal,
      );
      return { event: await done, faults: (await opened)?.faults };
    });
    assert.equal(faults, []);
    if (event.kind !== "calibrated") throw new Error(JSON.stringify(event));
    const { calibration } = event;
    checkMachine(calibration);
    assert.ok(calibration.seconds <= MINUTE_S, `${calibration.seconds} s`);
    assert.is(calibration.loaded.length, 0);
    assert.ok(calibration.clockStepNs >= 50_000, `${calibration.clockStepNs} ns`);
    assert.match(
      calibration.notes.join("; "),
      /needs a second core and shared memory.*clock here steps by.*one thread/s,
    );
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
