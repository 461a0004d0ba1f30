// Backends with room for one matrix each, kept by its form and shape, so that fuzzers can load thousands of matrices in place
// without starting thousands of WebAssembly instances.

import { openWasm } from "../../src/backends/wasm.js";
import type { Backend } from "../../src/core/ports.js";
import type { StoredMatrix } from "../../src/core/stored.js";
import { nodePlatform } from "../../src/platform/node.js";

const MOST_PLACES = 64;
/** Larger matrices than those of the good files are lies that only cost memory here. */
const MOST_VALUES = 1 << 16;

const places = new Map<string, Backend>();

/** Loads the matrix as src/model/load.ts does; what has no place is left out. */
export async function loadInPlace(matrix: StoredMatrix): Promise<void> {
  const { format, offset, rows, cols, raw, name } = matrix;
  if (!raw || rows * cols > MOST_VALUES) return;
  const key = [format, offset, rows, cols].join(" ");
  let backend = places.get(key);
  if (!backend) {
    if (places.size >= MOST_PLACES) return;
    backend = await openWasm(nodePlatform(), { variant: "simd", threads: 1 });
    const spec = { id: 0, name, class: "weights", part: "decoder", layer: 0, format, rows, cols } as const;
    await backend.allocate([offset ? { ...spec, offset } : spec]);
    places.set(key, backend);
  }
  await backend.load?.(0, matrix);
}
