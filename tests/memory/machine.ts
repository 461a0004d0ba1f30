// A fresh page machine for hand-worked traces: tiny pools, pages of one native page, one line of touches an epoch.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PagePolicy } from "../../src/core/pages.js";
import { DEFAULT_POLICY, policyNumbers } from "../../src/placement/policies.js";
import type { PageMachine } from "../../src/placement/policies-run.js";
import { root } from "../support/root.js";

export const memoryBytes = readFileSync(join(root, "build", "memory.wasm"));
export const memoryModule = new WebAssembly.Module(memoryBytes);

export const openMachine = () => new WebAssembly.Instance(memoryModule, {}).exports as unknown as PageMachine;

export interface TinyPool {
  readonly pages: number;
  readonly readNs: number;
  readonly writeNs?: number;
  readonly weight?: number;
  /** Loaded latency that Colloid is told. */
  readonly loadedNs?: number;
}

/** [page, lines read] or [page, lines read, lines written]. */
export type Touch = readonly [page: number, read: number, written?: number];

export interface Driven {
  /** [epochs][moves] page, from, to. */
  readonly moves: (readonly number[])[][];
  /** [epochs][pools] lines: read, written, filled, written back, moved out, moved in. */
  readonly lines: (readonly number[])[][];
  /** Pools of all pages at the end, -1 = never touched. */
  readonly homes: number[];
  readonly translationNs: number[];
}

/** Runs epochs of touches under a policy; `farCachePages` slots for copies. */
export function drive(
  pools: readonly TinyPool[],
  policy: Partial<PagePolicy> & { farCachePages?: number },
  epochs: readonly (readonly Touch[])[],
  pageCount = 16,
): Driven {
  const machine = openMachine();
  const view = (at: number, length: number) => new Float64Array(machine.memory.buffer, at, length);
  const full = { ...DEFAULT_POLICY, ...policy, farCacheBytes: (policy.farCachePages ?? 0) * 4096 };
  view(machine.pageParamsAt(), 18).set(policyNumbers(full));
  pools.forEach(({ pages, readNs, writeNs, weight, loadedNs }, i) => {
    const row = [pages, readNs, writeNs ?? readNs, weight ?? 1, loadedNs ?? readNs, 0, 0, 0];
    view(machine.pagePoolsAt() + i * 64, 8).set(row);
  });
  if (machine.configurePages(pageCount, pools.length) !== 0) throw new Error("counts out of range");
  const hand = (all: readonly Touch[]) => {
    for (let first = 0; first < all.length; first += machine.maxTouches()) {
      handPart(all.slice(first, first + machine.maxTouches()));
    }
  };
  const handPart = (touches: readonly Touch[]) => {
    const numbers = touches.flatMap(([page, read, written]) => [page, read, written ?? 0]);
    view(machine.touchesAt(), numbers.length).set(numbers);
    const code = machine.touchPages(touches.length);
    if (code !== 0) throw new Error(`touchPages ${code}`);
  };
  if (full.migration === "oracle") {
    epochs.forEach(hand);
    machine.placeOracle();
  }
  const driven: Driven = { moves: [], lines: [], homes: [], translationNs: [] };
  for (const touches of epochs) {
    machine.beginEpoch();
    hand(touches);
    driven.translationNs.push(machine.translationNs(touches.reduce((sum, [, read]) => sum + read, 0)));
    const count = machine.endEpoch();
    const list = view(machine.movesAt(), count * 3);
    driven.moves.push(Array.from({ length: count }, (_, i) => [...list.subarray(3 * i, 3 * i + 3)]));
    driven.lines.push(pools.map((_, pool) => [...view(machine.linesAt() + pool * 48, 6)]));
  }
  for (let page = 0; page < pageCount; page++) driven.homes.push(machine.poolOfPage(page));
  return driven;
}
