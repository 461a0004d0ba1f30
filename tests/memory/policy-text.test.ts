// Policies as text, and page traces as files: what is read, and what is refused with its place.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Topology } from "../../src/core/topology.js";
import { isPageTrace, parsePageTrace } from "../../src/counters/page-trace.js";
import { DEFAULT_POLICY } from "../../src/placement/policies.js";
import { parsePolicy } from "../../src/placement/policies-parse.js";
import { refuses } from "../support/refuses.js";

const pool = (name: string) => ({ kind: "local" as const, name, capacityBytes: 1 });
const TOPOLOGY: Topology = {
  ...{ schemaVersion: 1, name: "two", description: "", edges: [], defaultPlacement: [], origins: {} },
  pools: [pool("dram"), pool("cxl0")],
};
const parse = (text: string) => parsePolicy(text, TOPOLOGY);

test("words and settings", () => {
  assert.equal(parse("tpp"), { ...DEFAULT_POLICY, weights: [1, 1], migration: "tpp" });
  assert.is(parse("capacity-balanced").allocation, "capacity-balanced");
  const full = parse(
    "interleave(dram:3,cxl0:1), migration=colloid, far-cache=lru:64MiB, page-size=2M, budget=128, hot=50",
  );
  assert.equal(full.weights, [3, 1]);
  assert.is(full.farCacheBytes, 64 * 2 ** 20);
  assert.equal([full.migration, full.pageSize, full.budget, full.hotLines], ["colloid", "2M", 128, 50]);
});

test("unknown names and figures out of range are refused", async () => {
  await refuses(() => parse("tppp"), /tppp is unknown/, /tpp/);
  await refuses(() => parse("budget=1000"), /budget is 1000/, /512/);
  await refuses(() => parse("tolerance=-1"), /tolerance/);
  await refuses(() => parse("speed=1"), /speed is unknown/, /budget/);
  await refuses(() => parse("interleave(cxl9:1)"), /no pool cxl9/, /dram/);
  await refuses(() => parse("far-cache=lru"), /size/, /64MiB/);
  await refuses(() => parse("page-size=64K"), /64K is unknown/, /2M/);
});

const HEAD = '{"kind":"page-trace","schemaVersion":1,"pageCount":8}';
const GOOD = '{"nativeNs":100,"pages":[[0,5,1],[7,2]]}';

test("a trace is read", () => {
  assert.ok(isPageTrace(`${HEAD}\n${GOOD}`));
  assert.not.ok(isPageTrace(GOOD));
  const trace = parsePageTrace("t", `${HEAD}\n\n${GOOD}\n`, false);
  assert.is(trace.pageCount, 8);
  assert.equal(trace.epochs, [
    {
      nativeNs: 100,
      pages: [
        [0, 5, 1],
        [7, 2, 0],
      ],
    },
  ]);
});

test("a broken line is named; with keep-going the rest is used and the loss listed", async () => {
  const broken = (line: string) => () => parsePageTrace("t", `${HEAD}\n${GOOD}\n${line}`, false);
  await refuses(broken("{"), /line 3/, /no JSON/);
  await refuses(broken('{"nativeNs":0,"pages":[]}'), /nativeNs/);
  await refuses(broken('{"nativeNs":1e999,"pages":[]}'), /nativeNs/);
  await refuses(broken('{"nativeNs":1,"pages":[[0,1],[8,1]]}'), /pages\[1\] page 8/);
  await refuses(broken('{"nativeNs":1,"pages":[[0,-1]]}'), /negative/);
  await refuses(() => parsePageTrace("t", '{"kind":"page-trace"}', false), /pageCount/);
  await refuses(() => parsePageTrace("t", HEAD, false), /no epochs/);
  const kept = parsePageTrace("t", `${HEAD}\n{\n${GOOD}`, true);
  assert.is(kept.epochs.length, 1);
  assert.equal(kept.lost, [{ line: 2, problem: "is no JSON object" }]);
});

test.run();
