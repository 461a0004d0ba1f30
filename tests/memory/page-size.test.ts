// Larger pages: what lies together moves together, and only the difference in translation is charged.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { drive, type Touch } from "./machine.js";

const FAR = { pages: 1000, readNs: 250 };

test("pages of 2 MiB hold 512 native ones", () => {
  const touches: readonly Touch[] = [
    [0, 1],
    [511, 1],
    [512, 1],
  ];
  const driven = drive([{ pages: 1, readNs: 100 }, FAR], { pageSize: "2M" }, [touches], 1024);
  assert.equal(
    [0, 511, 512, 1023].map((page) => driven.homes[page]),
    [0, 0, 1, 1],
  );
  assert.equal(
    driven.lines[0]?.map(([read]) => read),
    [2, 1],
  );
});

test("a move of 2 MiB costs 32768 lines on both sides", () => {
  const pools = [{ pages: 1, readNs: 100 }, FAR];
  const epochs: (readonly Touch[])[] = [
    [
      [0, 1],
      [512, 1],
    ],
    [[512, 9]],
  ];
  const driven = drive(pools, { pageSize: "2M", migration: "locality", budget: 2 }, epochs, 1024);
  assert.equal(driven.moves[1]?.length, 2);
  assert.is(driven.lines[1]?.[0]?.[4], 32768);
});

test("native pages cost nothing; large ones save the walks that native ones need", () => {
  // 4096 native pages are touched in one epoch, 4096 lines: half of them find none of 2048 cached translations, 20 ns each.
  // As 8 pages of 2 MiB all find theirs.
  const touches = Array.from({ length: 4096 }, (_, i): Touch => [i, 1]);
  const near = [{ pages: 8192, readNs: 100 }];
  assert.equal(drive(near, { pageSize: "4K" }, [touches], 4096).translationNs, [0]);
  assert.equal(drive(near, { pageSize: "2M" }, [touches], 4096).translationNs, [-4096 * 0.5 * 20]);
});

test("within the cached translations no size saves anything", () => {
  const touches = Array.from({ length: 2048 }, (_, i): Touch => [i, 1]);
  assert.equal(drive([{ pages: 8192, readNs: 100 }], { pageSize: "2M" }, [touches], 4096).translationNs, [0]);
});

test.run();
