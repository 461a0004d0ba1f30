// The shipped curves are what scripts/profile-curves.ts makes of the raw points, where those are at hand.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const points = join(root, "../shared/data/cxl_curves.csv");
const script = join(root, "build/scripts/profile-curves.js");

const CURVES = {
  "devices/a1000.json": "asic_cxl_local_socket",
  "devices/a1000-remote.json": "asic_cxl_remote_socket",
  "host-default.json": "ddr5_snc4_local",
};

if (existsSync(points)) {
  for (const [file, path] of Object.entries(CURVES)) {
    test(`${file} follows from the raw points`, () => {
      const folder = mkdtempSync(join(tmpdir(), "curves-"));
      const copy = join(folder, "profile.json");
      try {
        copyFileSync(join(root, "profiles", file), copy);
        execFileSync(process.execPath, [script, points, path, copy]);
        assert.is(readFileSync(copy, "utf8"), readFileSync(join(root, "profiles", file), "utf8"));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
} else console.log(`skipped: ${points} is not there`);

test.run();
