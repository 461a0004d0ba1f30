// Mappings of /proc and where they are placed, on a map small enough to check by hand.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Topology } from "../../src/core/topology.js";
import { parseMaps } from "../../src/placement/maps.js";
import { regionPlacer } from "../../src/placement/regions.js";
import { refuses } from "../support/refuses.js";

const MAPS = `00400000-00401000 r-xp 00000000 08:01 12 /usr/bin/thing
00500000-00600000 rw-p 00000000 00:00 0 [heap]
7f0000000000-7f0004000000 rw-p 00000000 00:00 0 
7f1000000000-7f1000001000 ---p 00000000 00:00 0 
7f2000000000-7f2000002000 r--p 00000000 08:01 13 /usr/lib/with space.so (deleted)
7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]
7ffe00100000-7ffe00101000 r-xp 00000000 00:00 0 [vdso]
`;
const MIB = 1 << 20;
const far = { kind: "far" as const, capacityBytes: 64 * MIB };
const topology = {
  name: "two",
  pools: [
    { kind: "local", name: "dram", capacityBytes: 1024 * MIB },
    { ...far, name: "cxl0" },
  ],
} as unknown as Topology;

const shares = (texts: readonly string[], near: number | null = null, heat: readonly number[] = []) =>
  regionPlacer(texts, topology, near)(parseMaps(MAPS), heat).map((one) => one.shares[1]);

test("mappings become regions; what nobody may touch and the kernel's own are left out", () => {
  const regions = parseMaps(MAPS);
  assert.equal(
    regions.map(({ kind }) => kind),
    ["file", "heap", "anon", "file", "stack"],
  );
  assert.is(regions[3]?.name, "/usr/lib/with space.so (deleted)");
  assert.is(regions[2]?.sizeBytes, 64 * MIB);
  assert.is(regions[2]?.startAddress, 0x7f0000000000);
  assert.equal(parseMaps("no map at all\n"), []);
});

test("smaps tell what is in memory", () => {
  const [region] = parseMaps("00500000-00600000 rw-p 0 00:00 0 [heap]\nSize: 1024 kB\nRss:   16 kB\n");
  assert.is(region?.residentBytes, 16 * 1024);
});

test("without rules all lies in the far pool; later rules win", () => {
  assert.equal(shares([]), [1, 1, 1, 1, 1]);
  assert.equal(shares(["all=dram", "heap=cxl0"]), [0, 1, 0, 0, 0]);
  assert.equal(shares(["all=dram", "size>=64MiB=cxl0", "name:with space=cxl0"]), [0, 0, 1, 1, 0]);
  assert.equal(shares(["interleave(dram:3,cxl0:1)", "stack=dram"]), [0.25, 0.25, 0.25, 0.25, 0]);
});

test("first-fit fills near memory in the order of addresses and cuts what does not fit", () => {
  const placed = shares(["first-fit"], 4096 + MIB + 32 * MIB);
  assert.equal(placed, [0, 0, 0.5, 1, 1]);
});

test("hot-first puts the most lines a byte near", () => {
  // [thing, heap, anon, lib, stack]
  const placed = shares(["hot-first"], MIB, [0, 5000, 10, 0, 0]);
  assert.is(placed[1], 0);
  assert.is(placed[2], 1);
});

test("bad rules are refused with the rule in the message", async () => {
  for (const rule of [
    "heap",
    "heap=nowhere",
    "colour=cxl0",
    "size>=big=cxl0",
    "interleave(dram)",
    "all=interleave(dram:0)",
  ]) {
    await refuses(() => regionPlacer([rule], topology, null), /--place/);
  }
  await refuses(() => regionPlacer(["first-fit", "heap=cxl0"], topology, null), /first-fit.*alone/);
});

test.run();
