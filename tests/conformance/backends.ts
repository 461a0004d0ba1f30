// The table of backends that the conformance suite and the golden tests run over.

import { openReference } from "../../src/backends/reference.js";
import type { Backend } from "../../src/core/ports.js";
import { nodePlatform } from "../../src/platform/node.js";

export interface BackendEntry {
  readonly name: string;
  readonly open: () => Promise<Backend>;
}

export const referenceEntry: BackendEntry = { name: "reference", open: () => openReference(nodePlatform()) };

/** Reference and every variant of the WASM backend that runs here. */
export async function openBackends(): Promise<readonly BackendEntry[]> {
  return [referenceEntry];
}
