// A trace under policies with the real solver: what moving costs and saves, what the oracle and the best interleaving reach.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PagePolicy, PageTrace } from "../../src/core/pages.js";
import type { Topology } from "../../src/core/topology.js";
import { setMachine, solveEpoch } from "../../src/delay/solver.js";
import { DEFAULT_POLICY } from "../../src/placement/policies.js";
import { type PageParts, runPages } from "../../src/placement/policies-run.js";
import { host } from "../epoch/fixture.js";
import { epoch } from "../epoch/solver.js";
import { refuses } from "../support/refuses.js";
import { openMachine } from "./machine.js";

const HOST = host({ idleNs: 100, readGBps: 40, mixedGBps: 40, writeGBps: 40, queueNs: 0, curve: [] });
const FAR_ADDER_NS = 150;

/** Near memory of `nearPages` pages and a far pool 150 ns away. */
function parts(nearPages: number, pattern: PageParts["pattern"] = "chase"): PageParts {
  const topology: Topology = {
    ...{ schemaVersion: 1, name: "tiny", description: "", edges: [], defaultPlacement: [], origins: {} },
    pools: [
      { kind: "local", name: "dram", capacityBytes: nearPages * 4096 },
      {
        ...{ kind: "far", name: "cxl0", capacityBytes: 2 ** 24, path: [], curve: [], queueNs: 0 },
        ...{ readAdderNs: FAR_ADDER_NS, writeAdderNs: FAR_ADDER_NS, readGBps: 20, mixedGBps: 20, writeGBps: 20 },
      },
    ],
  };
  setMachine(epoch, topology, HOST, 1);
  return {
    ...{ machine: openMachine(), topology, idleNs: HOST.idleNs, pattern },
    solve: (stages) => solveEpoch(epoch, topology, stages, 0).delay.placedNs,
    loadedNs: (pool, read, written) => epoch.latencyNs(pool, read, written),
  };
}

const policy = (fields: Partial<PagePolicy>): PagePolicy => ({ ...DEFAULT_POLICY, ...fields });
const repeated = (epochs: number, pages: PageTrace["epochs"][number]["pages"], pageCount: number): PageTrace => ({
  pageCount,
  epochs: Array.from({ length: epochs }, () => ({ nativeNs: 0, pages })),
});

test("a chase over far pages takes L far, by hand", () => {
  // One near page of two: 64 lines at 100 ns and 64 at 250 ns.
  const run = runPages(
    parts(1),
    policy({}),
    repeated(
      1,
      [
        [0, 64, 0],
        [1, 64, 0],
      ],
      2,
    ),
  );
  assert.ok(Math.abs(run.totalNs - 64 * (100 + 250)) < 1);
  assert.is(run.pagesMoved, 0);
  assert.is(run.gainNs, 0);
});

test("a migration costs its bytes on both sides and its page faults, and is worth it when the page stays hot", () => {
  // Page 1 has 5000 lines an epoch and page 0 one: they change places after the first epoch.
  const trace = repeated(
    20,
    [
      [0, 1, 0],
      [1, 5000, 0],
    ],
    2,
  );
  const run = runPages(parts(1), policy({ migration: "heat-aware", faultNs: 2000 }), trace);
  assert.is(run.pagesMoved, 2);
  assert.ok(run.costNs > 4000, "two faults at least");
  // 64 lines each way: even at one line in flight less than 2 x 64 x 250 ns.
  assert.ok(run.costNs < 4000 + 2 * 64 * 250);
  // 19 epochs of 5000 lines at 150 ns less, one line at 150 ns more.
  assert.ok(Math.abs(run.savedNs - 19 * 4999 * FAR_ADDER_NS) < 1);
  assert.is(run.gainNs, run.savedNs - run.costNs);
});

test("a page that is used once is not worth its move", () => {
  const trace: PageTrace = {
    pageCount: 2,
    epochs: [
      {
        nativeNs: 0,
        pages: [
          [0, 1, 0],
          [1, 101, 0],
        ],
      },
      { nativeNs: 0, pages: [[0, 1, 0]] },
    ],
  };
  const run = runPages(parts(1), policy({ migration: "heat-aware" }), trace);
  assert.is(run.pagesMoved, 2);
  assert.ok(run.gainNs < 0);
});

test("the oracle is never slower than first-touch, and with room for all neither costs anything", () => {
  const trace = repeated(
    5,
    [
      [0, 1, 0],
      [1, 10, 0],
      [2, 100, 0],
      [3, 1000, 0],
    ],
    4,
  );
  const oracle = runPages(parts(2), policy({ migration: "oracle" }), trace);
  const still = runPages(parts(2), policy({}), trace);
  assert.ok(oracle.totalNs < still.totalNs);
  assert.is(oracle.costNs, 0);
  assert.ok(Math.abs(oracle.totalNs - 5 * (1100 * 100 + 11 * 250)) < 1);
  assert.is(
    runPages(parts(4), policy({ migration: "oracle" }), trace).totalNs,
    runPages(parts(4), policy({}), trace).totalNs,
  );
});

test("what hides behind the program's own work costs nothing", () => {
  const trace: PageTrace = {
    pageCount: 2,
    epochs: [
      {
        nativeNs: 1e6,
        pages: [
          [0, 64, 0],
          [1, 64, 0],
        ],
      },
    ],
  };
  assert.is(runPages(parts(1), policy({}), trace).totalNs, 1e6);
});

test("best-shot: a chase stays near, a stream that is bound by bandwidth spreads", () => {
  const pages = Array.from({ length: 40 }, (_, i) => [i, 6400, 0] as const);
  const trace = repeated(1, pages, 40);
  assert.equal(runPages(parts(100), policy({ allocation: "best-shot" }), trace).policy.weights, [1, 0]);
  const wide = { ...parts(100, "stream") };
  setMachine(epoch, wide.topology, { ...HOST, linesInFlight: { chase: 1, stride: 500, stream: 500 } }, 16);
  const best = runPages(wide, policy({ allocation: "best-shot" }), trace);
  const near = runPages(wide, policy({}), trace);
  // 40 and 20 GB/s side by side: a third far, and two thirds of the time.
  assert.ok(Math.abs(best.policy.weights[1] - 1 / 3) < 0.06);
  assert.ok(best.totalNs < 0.75 * near.totalNs);
});

test("copies of far pages pay for themselves when they are used again, though their room is taken from near", () => {
  // First-touch leaves page 2 far. With one of two near pages for copies, 1 is far too, but 2 is copied and served near.
  const trace = repeated(
    20,
    [
      [0, 1, 0],
      [1, 1, 0],
      [2, 5000, 0],
    ],
    3,
  );
  const run = runPages(parts(2), policy({ farCache: "frequency", farCacheBytes: 4096 }), trace);
  assert.is(run.pagesMoved, 0);
  assert.ok(run.costNs > 0, "the copy was read far and written near");
  assert.ok(Math.abs(run.savedNs - FAR_ADDER_NS * (19 * 5000 - 20)) < 1);
  assert.ok(run.gainNs > 0);
});

test("unknown names and pools without room are refused", async () => {
  const trace = repeated(1, [[0, 1, 0]], 1);
  await refuses(
    () => runPages(parts(1), policy({ migration: "lru" as never }), trace),
    /migration/,
    /lru is unknown/,
    /tpp/,
  );
  await refuses(() => runPages(parts(1), policy({ farCache: "lru", farCacheBytes: 4096 }), trace), /capacityBytes/);
  await refuses(
    () => runPages(parts(1), policy({}), repeated(1, [[3, 1, 0]], 2)),
    /epochs\[0\]\.pages/,
    /out of range/,
  );
});

test.run();
