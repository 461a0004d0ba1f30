// How fast quantized weights come from a file in the page cache to the form that kernels read: GB/s of file bytes, read,
// checked and repacked on one core, for each stored type of GGUF.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRepacker } from "../src/backends/wasm/repacker.js";
import { openWasm } from "../src/backends/wasm.js";
import type { Platform } from "../src/core/ports.js";
import { readGgufHeader } from "../src/formats/gguf/header.js";
import { sortTensors } from "../src/formats/gguf/tensors.js";
import type { GgufOutput } from "../src/formats/gguf-write.js";
import { ggufBytes, writeGguf } from "../src/formats/gguf-write.js";

const [ROWS, COLS] = [4096, 4096];
const TYPES = ["F16", "Q4_0", "Q4_1", "Q8_0"] as const;

/** Blocks whose scales are the half 0x3333; all other bytes too. */
async function writeFixture(platform: Platform, path: string): Promise<void> {
  const tensors = TYPES.map((type): GgufOutput => {
    const about = { name: type, type, shape: [ROWS, COLS] };
    return { ...about, bytes: async () => new Uint8Array(ggufBytes(about)).fill(0x33) };
  });
  await writeGguf(platform, path, [], tensors);
}

/** Prints the best of `rounds` / 30 rounds for each type. */
export async function load(platform: Platform, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-load-"));
  const path = join(folder, "load.gguf");
  const repacker = await openRepacker(platform);
  try {
    await writeFixture(platform, path);
    const source = await platform.open(path);
    const { stored } = sortTensors(await readGgufHeader(source), (name) => name);
    for (const matrix of stored.values()) {
      const { format, offset, rows, cols, label, byteLength } = matrix;
      const backend = await openWasm(platform, { variant: "simd", threads: 1 });
      const spec = { id: 0, name: label, class: "weights", part: "decoder", layer: 0, format, rows, cols } as const;
      await backend.allocate([offset ? { ...spec, offset } : spec]);
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < Math.max(3, rounds / 30); round++) {
        const before = platform.clock.nowNs();
        for await (const { row, data } of matrix.pieces?.(repacker) ?? []) await backend.upload(0, data, row);
        best = Math.min(best, platform.clock.nowNs() - before);
      }
      const ratio = backend.residentBytes() / byteLength;
      console.log(
        `load GGUF ${label}: ${(byteLength / best).toFixed(2)} GB/s of file, resident ${ratio.toFixed(2)} x file`,
      );
      await backend.close();
    }
    await source.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}
