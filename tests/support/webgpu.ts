// WebGPU for tests in Node: Dawn from npm in .cache/peers, and where no driver is named, the software adapter that comes
// with Debian's Chromium. Import it before anything opens a GPU.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureDebian } from "./debian.js";
import { need } from "./need.js";
import { root } from "./root.js";

const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** True where a test can open WebGPU in Node; else `skipped: ...` was printed. */
export function needWebgpu(): boolean {
  if (process.env.VK_ICD_FILENAMES === undefined) {
    if (!ensureDebian(["chromium", "libvulkan1"])) return false;
    if (!need(existsSync(SWIFTSHADER), "Chromium's SwiftShader", "Install Debian's chromium")) return false;
    process.env.VK_ICD_FILENAMES = SWIFTSHADER;
  }
  const script = join(root, "scripts", "peers.mjs");
  const { status } = spawnSync(process.execPath, [script, "webgpu"], { stdio: ["ignore", "inherit", "inherit"] });
  return need(status === 0, "npm's webgpu", "Run `node scripts/peers.mjs webgpu` with a network");
}
