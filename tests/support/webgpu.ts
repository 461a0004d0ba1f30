// WebGPU for tests in Node: Dawn from npm in .cache/peers, and where no driver is named, the software adapter that comes
// with Debian's Chromium. Import it before anything opens a GPU.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { WEBGPU_FLAGS } from "../../src/hosts/chromium.js";
import { ensureDebian } from "./debian.js";
import { need } from "./need.js";
import { root } from "./root.js";

/**
 * SwiftShader unrolls the driver's own zeroing of shared memory into a store a number: a kernel with tiles takes 0.7 s of a
 * core to compile, and 0.06 s where Dawn zeroes in a loop. For tests in Node (NIBBLEMARK_DAWN) and as a flag of Chromium.
 */
const ZERO_IN_LOOPS = "disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension";

/** Flags of a Chromium whose WebGPU tests use. */
export const WEBGPU_TEST_FLAGS: readonly string[] = [...WEBGPU_FLAGS, `--${ZERO_IN_LOOPS}`];

const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** True where a test can open WebGPU in Node; else `skipped: ...` was printed. */
export function needWebgpu(): boolean {
  process.env.NIBBLEMARK_DAWN ??= ZERO_IN_LOOPS;
  if (process.env.VK_ICD_FILENAMES === undefined) {
    if (!ensureDebian(["chromium", "libvulkan1"])) return false;
    if (!need(existsSync(SWIFTSHADER), "Chromium's SwiftShader", "Install Debian's chromium")) return false;
    process.env.VK_ICD_FILENAMES = SWIFTSHADER;
  }
  const script = join(root, "scripts", "peers.mjs");
  const { status } = spawnSync(process.execPath, [script, "webgpu"], { stdio: ["ignore", "inherit", "inherit"] });
  return need(status === 0, "npm's webgpu", "Run `node scripts/peers.mjs webgpu` with a network");
}
