// The WASM variants that this Node runs; the others are named with their reason.

import { wasmTargets } from "../../src/backends/wasm/variants.js";
import type { WasmVariant } from "../../src/backends/wasm.js";
import { nodePlatform } from "../../src/platform/node.js";

export async function runningVariants(): Promise<readonly WasmVariant[]> {
  const statuses = await wasmTargets(nodePlatform(), 1);
  for (const status of statuses) {
    if (!status.available) console.log(`skipped: wasm ${status.target.variant}: ${status.reason}. ${status.remedy}`);
  }
  return statuses.filter((status) => status.available).map(({ target }) => target.variant as WasmVariant);
}
