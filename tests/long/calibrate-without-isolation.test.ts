// `calibrate` in a page without cross-origin isolation measures what one thread and a coarse clock can tell.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { captureEnvironment } from "../../src/cli/parts/environment.js";
import { type CoordinatorEvent, type FinalEvent, isFinal } from "../../src/cli/protocol.js";
import { startPageCoordinator } from "../../src/hosts/page.js";
import { checkMachine, MOST_CALIBRATION_S } from "../hosts/calibrated.js";
import { haveChromium, packageFolders, withChromium } from "../support/browser.js";

if (haveChromium()) {
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
    assert.ok(calibration.seconds <= MOST_CALIBRATION_S, `${calibration.seconds} s`);
    assert.is(calibration.loaded.length, 0);
    assert.ok(calibration.clockStepNs >= 50_000, `${calibration.clockStepNs} ns`);
    assert.match(
      calibration.notes.join("; "),
      /needs a second core and shared memory.*clock here steps by.*one thread/s,
    );
  });
}

test.run();
