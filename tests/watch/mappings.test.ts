// An epoch's lines by mapping, as its JSON line tells them: none is lost or told twice, and they add up to what the pools get.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RegionLines, Span } from "../../src/core/counters.js";
import type { PlacedRegion } from "../../src/core/regions.js";
import type { MappingLines } from "../../src/core/watch.js";
import { mappingLines } from "../../src/run/watch-regions.js";
import { isBadInput, newFolder, nibblemark } from "../cli/nibblemark.js";
import { buildPlugin, compileProgram, EMULATOR_PACKAGES } from "../emulated/bed.js";
import { ensureDebian } from "../support/debian.js";
import { needNative } from "../support/native.js";

function lines(startAddress: number, sizeBytes: number, irregular: Span): RegionLines {
  const rest = { streamLines: [8, 16] as Span, strideLines: [0, 0] as Span, writtenLines: [4, 4] as Span };
  return { startAddress, sizeBytes, name: "there", irregularLines: irregular, ...rest };
}

function home(startAddress: number, sizeBytes: number, far: number, name: string): PlacedRegion {
  const facts = { startAddress, sizeBytes, residentBytes: sizeBytes, name, kind: "anon" as const, writable: true };
  return { region: facts, shares: [1 - far, far] };
}

test("a range of addresses is shared out over the mappings that it meets; one that meets none stands alone", () => {
  const placed = [home(0x1000, 0x1000, 1, "a"), home(0x2000, 0x3000, 0, "b")];
  const regions = [lines(0x1000, 0x2000, [2, 10]), lines(0x4000, 0x1000, [0, 6]), lines(0x9000, 0x1000, [1, 1])];
  const found = mappingLines({ regions }, placed, [0.5, 0.5]) ?? [];
  assert.equal(
    found.map(({ name, kind, poolShares, irregularLines }) => [name, kind, poolShares, irregularLines]),
    [
      ["a", "anon", [0, 1], [1, 5]],
      ["b", "anon", [1, 0], [1, 11]],
      ["there", "unknown", [0.5, 0.5], [1, 1]],
    ],
  );
  assert.is(mappingLines({ regions: [] }, placed, [1, 0]), null);
});

if (needNative() && ensureDebian(EMULATOR_PACKAGES)) {
  const folder = newFolder();
  test.after(() => folder.remove());

  test("the file of epochs names the program's mappings, their pools and lines, and replay reads it", () => {
    buildPlugin();
    const file = `${folder.path}/epochs.jsonl`;
    const flags = ["--source", "emulated", "--llc", "4MiB", "--place", "size>=8MiB=cxl0", "--place", "stack=dram"];
    const program = compileProgram("chase");
    const { code, stderr } = nibblemark(["exec", ...flags, "--export-jsonl", file, "--", program, "16", "300000"]);
    assert.is(code, 0, stderr);
    const [head, ...epochs] = readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(head.pools, ["dram", "cxl0"]);
    let array = 0;
    for (const { regions, poolBytes } of epochs as { regions: MappingLines[]; poolBytes: number[][] }[]) {
      const bytes = [0, 1].map((pool) =>
        regions.reduce((sum, one) => {
          const all = [one.streamLines, one.strideLines, one.irregularLines, one.writtenLines];
          return sum + all.reduce((total, span) => total + span[1] * 64, 0) * (one.poolShares[pool] ?? 0);
        }, 0),
      );
      bytes.forEach((sum, pool) => {
        assert.ok(Math.abs(sum - (poolBytes[1]?.[pool] ?? -1)) <= 1e-6 * sum + 1e-6, `${bytes} ${poolBytes[1]}`);
      });
      for (const { sizeBytes, poolShares, irregularLines } of regions) {
        if (sizeBytes >= 2 ** 24 && poolShares[1] === 1) array += irregularLines[1];
      }
    }
    // The chase alone misses three of four times in its 16 MiB.
    assert.ok(array > 200_000, `${array}`);
    assert.is(nibblemark(["replay", file]).code, 0);
    const broken = `${folder.path}/broken.jsonl`;
    spawnSync("sh", ["-c", `sed 's/"nativeNs":[0-9.]*/"nativeNs":-1/' ${file} > ${broken}`]);
    isBadInput(nibblemark(["replay", broken]), "nativeNs");
  });
}

test.run();
