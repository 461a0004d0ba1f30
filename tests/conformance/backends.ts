// The table of backends that the conformance suite and the golden tests run over.

import { openReference } from "../../src/backends/reference.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { openWasm } from "../../src/backends/wasm.js";
import type { Backend } from "../../src/core/ports.js";
import { targetName } from "../../src/core/target.js";
import { nodePlatform } from "../../src/platform/node.js";

export interface BackendEntry {
  readonly name: string;
  readonly open: () => Promise<Backend>;
}

const platform = nodePlatform();

export const referenceEntry: BackendEntry = { name: "reference", open: () => openReference(platform) };

/** Every build of the WASM backend that runs here, on one thread and on two; prints why one does not. */
export async function wasmEntries(): Promise<readonly BackendEntry[]> {
  const entries: BackendEntry[] = [];
  for (const status of await wasmTargets(platform, 2)) {
    const { variant, threads } = status.target;
    const name = targetName(status.target);
    if (status.available)
      entries.push({ name, open: () => openWasm(platform, { variant: variant as never, threads }) });
    else console.log(`skipped: ${name}: ${status.reason}. ${status.remedy}`);
  }
  return entries;
}

/** Reference first, then what `wasmEntries` finds. */
export async function openBackends(): Promise<readonly BackendEntry[]> {
  return [referenceEntry, ...(await wasmEntries())];
}
