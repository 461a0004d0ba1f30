// Mesa's software adapter for tests of WebGPU. Debian's own (22.3) serves wgpu (Deno, Firefox) and has f16; Dawn refuses it, so
// that Node takes the one of Debian's backports (25.0, f16 and subgroups), unpacked into .cache and never installed.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebian, unpackBackports } from "./debian.js";
import { need } from "./need.js";

const DRIVER = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
const LIBRARIES = join("usr", "lib", "x86_64-linux-gnu");

const onX64 = (): boolean => need(process.arch === "x64" && process.platform === "linux", "Linux on x64", "Use one");

const installed = (): boolean => onX64() && ensureDebian(["mesa-vulkan-drivers", "libvulkan1"]);

/** Environment in which programs take Debian's own lavapipe; null where it cannot be had. */
export function debianLavapipe(): NodeJS.ProcessEnv | null {
  return installed() ? { VK_ICD_FILENAMES: DRIVER } : null;
}

/** Environment in which Dawn takes the newer lavapipe; null where it cannot be had. */
export function newLavapipe(): NodeJS.ProcessEnv | null {
  // The installed one brings the libraries that both link to.
  if (!installed()) return null;
  const folder = unpackBackports("mesa", ["mesa-vulkan-drivers", "libdrm2", "libdrm-amdgpu1"]);
  if (folder === null) return null;
  const drivers = join(folder, "usr", "share", "vulkan", "icd.d");
  const name = readdirSync(drivers).find((file) => file.startsWith("lvp_icd"));
  if (name === undefined) throw new Error(`${drivers} holds no lavapipe`);
  const icd = JSON.parse(readFileSync(join(drivers, name), "utf8")) as { ICD: { library_path: string } };
  icd.ICD.library_path = join(folder, LIBRARIES, "libvulkan_lvp.so");
  const path = join(folder, "lavapipe.json");
  writeFileSync(path, JSON.stringify(icd));
  // What SwiftShader needs of Dawn costs this one's compiler four times its time.
  return { NIBBLEMARK_DAWN: "", VK_ICD_FILENAMES: path, LD_LIBRARY_PATH: join(folder, LIBRARIES) };
}
