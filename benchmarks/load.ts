// How fast quantized weights come from a file in the page cache into the form and memory that kernels read: GB/s of file bytes,
// read, checked and repacked, for each format, beside a plain read of the same bytes. GB a core's second counts the processor
// time of all threads: what one core does, however busy the machine is.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWasm } from "../src/backends/wasm.js";
import type { TensorSpec } from "../src/core/op.js";
import type { Platform } from "../src/core/ports.js";
import type { StoredMatrix } from "../src/core/stored.js";
import { type LoadCase, loadCases } from "./load-files.js";

const READ_BYTES = 1 << 20;
const SHAPE = { rows: 4096, cols: 4096 };
/** Until then all code of a form has been compiled by the optimizing tier. */
const WARM_UP_NS = 2e9;

/** Prints the median and the best of `rounds` / 5 rounds, the cases taken in turn after two seconds of untimed loads each. */
export async function load(platform: Platform, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-load-"));
  try {
    const cases = await Promise.all((await loadCases(platform, folder, SHAPE)).map((one) => openCase(platform, one)));
    for (const one of cases) {
      const end = platform.clock.nowNs() + WARM_UP_NS;
      while (platform.clock.nowNs() < end) await one.load();
    }
    for (let round = 0; round < Math.max(5, rounds / 5); round++) {
      for (const one of cases) {
        one.reads.push(one.bytes / (await timed(platform, one.read)));
        const before = process.cpuUsage();
        one.loads.push(one.bytes / (await timed(platform, one.load)));
        const { user, system } = process.cpuUsage(before);
        one.cores.push(one.bytes / ((user + system) * 1000));
      }
    }
    for (const one of cases) {
      const [read, load] = [middle(one.reads), middle(one.loads)];
      const best = Math.max(...one.loads).toFixed(2);
      const share = `plain read ${read.toFixed(2)}, ${(load / read).toFixed(2)} of it`;
      const core = `${middle(one.cores).toFixed(2)} GB a core's second`;
      console.log(`load ${one.name}: ${load.toFixed(2)} GB/s of file (best ${best}), ${core}, ${share}`);
      await one.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function timed({ clock }: Platform, action: () => Promise<void>): Promise<number> {
  const before = clock.nowNs();
  await action();
  return clock.nowNs() - before;
}

/** A backend with room for one matrix, on one thread. */
async function openCase(platform: Platform, { name, open }: LoadCase) {
  const { matrix, path, close } = await open();
  const backend = await openWasm(platform, { variant: "simd", threads: 1 });
  await backend.allocate([specOf(matrix)]);
  const source = await platform.open(path);
  const target = new Uint8Array(READ_BYTES);
  const read = async () => {
    for (let at = 0; at < matrix.byteLength; at += READ_BYTES) {
      await source.readInto?.(at, target.subarray(0, Math.min(READ_BYTES, matrix.byteLength - at)));
    }
  };
  return {
    ...{ name, bytes: matrix.byteLength, read, reads: [] as number[], loads: [] as number[], cores: [] as number[] },
    load: async () => backend.load?.(0, matrix),
    async close() {
      await backend.close();
      await source.close();
      await close();
    },
  };
}

function specOf({ name, rows, cols, format, offset }: StoredMatrix): TensorSpec {
  const spec = { id: 0, name, class: "weights", part: "decoder", layer: 0, format, rows, cols } as const;
  return offset ? { ...spec, offset } : spec;
}
