// `calibrate` in a real browser: the command starts Chromium and stores what a page measured. (tests/long has a page without
// isolation.)

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Calibration } from "../../src/core/calibration.js";
import { parseHost } from "../../src/placement/calibration.js";
import { haveChromium } from "../support/browser.js";
import { root } from "../support/root.js";
import { checkMachine, MOST_CALIBRATION_S } from "./calibrated.js";

const chromium = haveChromium();
const folder = mkdtempSync(join(tmpdir(), "nibblemark-page-"));

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
    assert.ok(calibration.seconds <= MOST_CALIBRATION_S, `${calibration.seconds} s`);
    assert.ok(
      calibration.bandwidth.some(({ threads }) => threads > 1),
      "several threads",
    );
    assert.ok(calibration.clockStepNs >= 1000, `the clock of a page is coarse: ${calibration.clockStepNs} ns`);
    assert.match(calibration.notes.join("; "), /clock here steps by/);
    assert.is(parseHost(out, stored).hash, calibration.profile.hash);
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
