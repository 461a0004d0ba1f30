// No two policies are the same: on at least one of four small traces any two of a kind end differently.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PagePolicy } from "../../src/core/pages.js";
import { ALLOCATIONS, FAR_CACHES, MIGRATIONS, PAGE_SIZES } from "../../src/placement/policies.js";
import { drive, type Touch } from "./machine.js";

const POOLS = [
  { pages: 4, readNs: 100, loadedNs: 120, weight: 1 },
  { pages: 8, readNs: 300, weight: 3 },
  { pages: 16, readNs: 250, writeNs: 400, weight: 2 },
];
const WARM: readonly Touch[] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((page): Touch => [page, 1]);
const TRACES: readonly (readonly (readonly Touch[])[])[] = [
  [
    WARM,
    [
      [0, 200],
      [1, 40],
    ],
    [
      [0, 10],
      [2, 60],
    ],
    [
      [3, 4],
      [2, 60],
    ],
    [
      [2, 60],
      [0, 3],
    ],
  ],
  [
    WARM,
    [
      [9, 500],
      [8, 400],
    ],
    [[0, 90]],
    [[0, 90]],
    [[1, 6]],
    [[1, 6]],
  ],
  [
    WARM,
    WARM,
    WARM,
    [
      [4, 7],
      [5, 7],
    ],
    WARM,
    [[4, 120]],
  ],
  [WARM, [[0, 1]], [[1, 1]], [[2, 1]], [[0, 9]], [[1, 1]], [[3, 2]], [[0, 1]], [[3, 1]]],
];

/** Everything that one policy did on all traces. */
const signature = (policy: Partial<PagePolicy> & { farCachePages?: number }): string =>
  JSON.stringify(TRACES.map((trace) => drive(POOLS, { budget: 8, clearEpochs: 2, ...policy }, trace)));

function allDiffer(kind: string, signatures: ReadonlyMap<string, string>): void {
  const names = [...signatures.keys()];
  names.forEach((a, i) => {
    for (const b of names.slice(i + 1)) {
      test(`${kind}: ${a} and ${b} differ`, () => assert.is.not(signatures.get(a), signatures.get(b)));
    }
  });
}

// best-shot is interleave with weights that it finds: tests/memory/run.test.ts.
const allocations = ALLOCATIONS.filter(({ name }) => name !== "best-shot");
allDiffer("allocation", new Map(allocations.map(({ name }) => [name, signature({ allocation: name })])));
allDiffer("migration", new Map(MIGRATIONS.map(({ name }) => [name, signature({ migration: name })])));
allDiffer("far cache", new Map(FAR_CACHES.map(({ name }) => [name, signature({ farCache: name, farCachePages: 2 })])));
// 0 and 512 share a page of 1 GiB only, 0 and 511 one of 2 MiB too.
const WIDE: readonly Touch[] = [
  [0, 1],
  [511, 1],
  [512, 1],
  [300_000, 1],
];
const wide = ({ name }: (typeof PAGE_SIZES)[number]) =>
  JSON.stringify(
    drive(POOLS, { pageSize: name, allocation: "capacity-balanced" }, [WIDE], 300_001).homes.slice(0, 513),
  );
allDiffer("page size", new Map(PAGE_SIZES.map((size) => [size.name, wide(size)])));

test.run();
