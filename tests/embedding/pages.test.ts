// memory.wasm without a JavaScript engine (wasm2c and gcc): every migration policy moves the same pages and lines as in Node.
import { spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_POLICY, MIGRATIONS, policyNumbers } from "../../src/placement/policies.js";
import { drive, type Touch } from "../memory/machine.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { compileHost, PACKAGES } from "./native.js";

const PAGES = 3000;
const POOLS = [
  { pages: 500, readNs: 100, loadedNs: 140 },
  { pages: 2000, readNs: 250 },
  { pages: 2000, readNs: 400 },
];

/** A hot range that wanders; 1500 touches an epoch take two calls. */
const EPOCHS: Touch[][] = Array.from({ length: 12 }, (_, epoch) =>
  Array.from({ length: 1500 }, (_, i): Touch => {
    const scattered = (i * 7919 + epoch * 104729) % PAGES;
    const hot = (900 + 40 * epoch + ((i * 31) % 200)) % PAGES;
    return i % 3 === 0 ? [scattered, 2, 1] : [hot, 9, i % 5];
  }),
);

const doubles = (numbers: readonly number[]) => Buffer.from(Float64Array.from(numbers).buffer);
const integers = (...numbers: number[]) => Buffer.from(Int32Array.from(numbers).buffer);

if (need(process.platform === "linux", "Linux", "wasm2c's runtime is tested there") && ensureDebian(PACKAGES)) {
  const program = compileHost("pages", "memory", "memory");
  for (const { name } of MIGRATIONS.filter((entry) => entry.name !== "oracle")) {
    test(`${name}: the same moves and lines`, () => {
      const policy = { migration: name, farCache: "lru", farCachePages: 20 } as const;
      const numbers = policyNumbers({ ...DEFAULT_POLICY, ...policy, farCacheBytes: 20 * 4096 });
      const pools = POOLS.flatMap(({ pages, readNs, loadedNs }) => [
        pages,
        readNs,
        readNs,
        1,
        loadedNs ?? readNs,
        0,
        0,
        0,
      ]);
      const epochs = EPOCHS.flatMap((touches) => [
        integers(touches.length),
        doubles(touches.flatMap(([page, read, written]) => [page, read, written ?? 0])),
      ]);
      const input = Buffer.concat([
        integers(PAGES, POOLS.length, EPOCHS.length),
        doubles(numbers),
        doubles(pools),
        ...epochs,
      ]);
      const { status, stdout, stderr } = spawnSync(program, { input, maxBuffer: 2 ** 24 });
      assert.is(status, 0, stderr.toString());
      const { moves, lines } = drive(POOLS, policy, EPOCHS, PAGES);
      const here = moves.flatMap((list, epoch) => [list.length, ...list.flat(), ...(lines[epoch] ?? []).flat()]);
      assert.ok(doubles(here).equals(stdout));
      if (name === "tpp" || name === "locality") assert.ok(moves.flat().length > 0, "something moved");
    });
  }
}

test.run();
