// The table of backends that the conformance suite and the golden tests run over.

import { openReference } from "../../src/backends/reference.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../src/backends/wasm.js";
import type { Backend } from "../../src/core/ports.js";
import { targetName } from "../../src/core/target.js";
import { nodePlatform } from "../../src/platform/node.js";

export interface BackendEntry {
  readonly name: string;
  readonly open: () => Promise<Backend>;
}

export const referenceEntry: BackendEntry = { name: "reference", open: () => openReference(nodePlatform()) };

/** Reference and every variant of the WASM backend that runs here. */
export async function openBackends(): Promise<readonly BackendEntry[]> {
  const platform = nodePlatform();
  const running = (await wasmTargets(platform, 2)).filter((status) => status.available);
  const wasm = running.map(({ target }) => {
    const variant = target.variant as WasmVariant;
    return { name: targetName(target), open: () => openWasm(platform, { variant, threads: target.threads }) };
  });
  return [referenceEntry, ...wasm];
}
