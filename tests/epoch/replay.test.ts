// Traces in and epochs out: the JSONL format, perf stat's CSV, faults by line, and the command as a whole.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseTrace } from "../../src/counters/trace.js";
import { parseShares, spread } from "../../src/delay/rows.js";
import { temporaryFolder } from "../support/folder.js";
import { refuses } from "../support/refuses.js";
import { root } from "../support/root.js";
import { farPool, topology } from "./fixture.js";

const HEAD = '{"kind":"epoch-trace","schemaVersion":1}';
const line = (fields: object) => JSON.stringify({ nativeNs: 1e6, perPool: [{ demandLines: 100 }], ...fields });

test("JSONL: one epoch a line, absent figures are 0, absent counters stay absent", () => {
  const text = [HEAD, line({ phase: "load" }), "", line({ counters: { cycles: 5 } })].join("\n");
  const { epochs, lost } = parseTrace("t", text, false);
  assert.equal(lost, []);
  assert.equal(epochs[0], {
    ...{ line: 2, phase: "load", nativeNs: 1e6, counters: {} },
    perPool: [{ chaseLines: 0, demandLines: 100, streamedBytes: 0, writtenBytes: 0 }],
  });
  assert.is(epochs[1].line, 4);
});

test("without perPool the misses are the lines", () => {
  const { epochs } = parseTrace("t", '{"nativeNs":5,"counters":{"llcMisses":7}}', false);
  assert.is(epochs[0].perPool[0].demandLines, 7);
});

const PERF = `# started on Sun
     1.000,3000000000,,cycles,1000000000,100.00,,
     1.000,20000,,LLC-load-misses,1000000000,100.00,,
     1.000,<not counted>,,instructions,0,100.00,,
     1.000,900000000,,cycle_activity.stalls_l3_miss,1000000000,100.00,,
     1.500,1500000000,,cycles,500000000,100.00,,
     1.500,5000,,LLC-store-misses,500000000,100.00,,
`;

test("perf stat -I -x,: events of one time stamp make an epoch", () => {
  const { epochs } = parseTrace("p", PERF, false);
  assert.equal(
    epochs.map(({ nativeNs, line }) => [nativeNs, line]),
    [
      [1e9, 2],
      [5e8, 6],
    ],
  );
  const [first, second] = epochs;
  assert.is(first.counters.stallCycles, 9e8);
  assert.not("instructions" in first.counters);
  assert.is(first.perPool[0].demandLines, 20000);
  assert.is(second.perPool[0].writtenBytes, 5000 * 64);
});

const BROKEN: [text: string, problem: RegExp][] = [
  ["{", /line 2: is not JSON/],
  [line({ nativeNs: 0 }), /line 2: nativeNs is no length/],
  [line({ nativeNs: "5" }), /line 2: nativeNs must be a number of ns/],
  ['{"nativeNs":1e999}', /line 2: nativeNs must be finite/],
  ['{"nativeNs":NaN}', /line 2: is not JSON/],
  [line({ counters: { cycles: -1 } }), /line 2: counters.cycles must be 0 or more/],
  [line({ perPool: [{ demandLines: 1, speed: 2 }] }), /line 2: perPool\[0\].speed/],
  ['{"nativeNs":5,"counters":{"cycles":7}}', /line 2: has neither perPool nor counters.llcMisses/],
  [line({ perPool: [{}, {}] }), /line 2: perPool has 2 entries, the lines before have 1/],
];

test("a broken line is named, or left out and listed", async () => {
  for (const [text, problem] of BROKEN) {
    const trace = [line({}), text, line({})].join("\n");
    await refuses(() => parseTrace("t", trace, false), problem);
    const kept = parseTrace("t", trace, true);
    assert.is(kept.epochs.length, 2);
    assert.is(kept.lost[0].line, 2);
  }
  await refuses(() => parseTrace("p", `${PERF}     1.2,1,,cycles,1,1,,\n`, false), /line 8: time 1.2 s lies before/);
  const uncounted = `${PERF}     2.0,<not counted>,,LLC-load-misses,0,100.00,,\n     2.0,7,,cycles,1,1,,\n`;
  await refuses(() => parseTrace("p", uncounted, false), /line 8: no count of misses/);
  assert.is(parseTrace("p", uncounted, true).lost[0].line, 8);
  await refuses(() => parseTrace("p", `${PERF}     2.0,abc,,cycles,1,1,,\n`, false), /line 8: value abc/);
  await refuses(() => parseTrace("t", HEAD, false), /holds no epoch/);
});

test("traces of one memory are spread by shares", async () => {
  const memory = topology([farPool("a"), farPool("b")]);
  const { epochs } = parseTrace("t", line({}), false);
  const lines = (shares: string | undefined) =>
    spread("t", epochs[0], memory, parseShares(memory, shares)).map(({ demandLines }) => demandLines);
  assert.equal(lines(undefined), [0, 100, 0]);
  assert.equal(lines("dram:0.5,b:0.5"), [50, 0, 50]);
  await refuses(() => parseShares(memory, "a:0.5"), /shares sum to 0.5/);
  await refuses(() => parseShares(memory, "c:1"), /no pool c/);
  const two = parseTrace("t", line({ perPool: [{}, {}] }), false).epochs[0];
  await refuses(() => spread("t", two, memory, [1, 0, 0]), /line 1: perPool has 2 entries/);
});

test("the command prints a summary, writes an epoch a line and a timeline, and says what it left out", () => {
  const folder = temporaryFolder("replay");
  const at = (name: string) => join(folder, name);
  writeFileSync(at("t.jsonl"), [HEAD, line({ counters: { stallNs: 5e5 } }), "oops", ""].join("\n"));
  const run = (...args: string[]) => {
    const command = [join(root, "build", "src", "cli", "main.js"), "replay", at("t.jsonl"), ...args];
    return spawnSync(process.execPath, command, { encoding: "utf8" });
  };
  assert.is(run().status, 2);
  assert.match(run().stderr, /line 3: is not JSON/);
  const done = run("--keep-going", "--delay", "stall", "--export-jsonl", at("o.jsonl"), "--export-html", at("o.html"));
  assert.is(done.status, 0, done.stderr);
  assert.match(done.stdout, /slowdown\s+1\.770x/);
  assert.match(done.stderr, /1 broken lines were left out/);
  const [head, first] = readFileSync(at("o.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  assert.equal(
    head.lost.map((one: { line: number }) => one.line),
    [3],
  );
  assert.is(head.pools.length, 2);
  assert.is(first.nativeNs + first.delayNs, first.predictedNs);
  const page = readFileSync(at("o.html"), "utf8");
  assert.match(page, /<h2>Epochs over time<\/h2>/);
  assert.not.match(page, /(?:src|href)="http/);
  assert.is(run("--delay", "magic").status, 2);
  assert.is(run("--keep-going", "--delay", "camp").status, 3);
});

/** As `exec` wrote unknown epochs before they had `perPool: null`: zeros, and neither bytes nor delays. */
const ZEROS = { threads: [], runningShare: 1, perPool: [{}, {}] };

test("unknown is not 0: such epochs have no delay, and the summary tells for how much of the time there is one", () => {
  const folder = temporaryFolder("replay-unknown");
  const replayed = (lines: readonly string[]) => {
    const [trace, out, page] = ["t.jsonl", "o.jsonl", "o.html"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(trace, [HEAD, ...lines].join("\n"));
    const args = ["replay", trace, "--export-jsonl", out, "--export-html", page];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "build", "src", "cli", "main.js"), ...args],
      { encoding: "utf8" },
    );
    assert.is(status, 0, stderr);
    const [, ...epochs] = readFileSync(out, "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    return { stdout, epochs, page: readFileSync(page, "utf8") };
  };
  const misses = line({ perPool: [{}, { demandLines: 1000 }] });
  const alone = replayed([misses]);
  for (const unknown of [line({ perPool: null }), line(ZEROS)]) {
    const some = replayed([unknown, misses, unknown, unknown]);
    const slowdown = /slowdown\s+(\S+)/;
    assert.is(slowdown.exec(some.stdout)?.[1], slowdown.exec(alone.stdout)?.[1]);
    assert.match(some.stdout, /delays known for\s+25(\.0)? % of the time, unknown in 3 epochs/);
    assert.equal(
      some.epochs.map(({ delayNs }) => delayNs === null),
      [true, false, true, true],
    );
    assert.is(some.epochs[1].delayNs, alone.epochs[0].delayNs);
    const none = replayed([unknown, unknown]);
    assert.match(none.stdout, /slowdown\s+unknown: no epoch tells what missed the cache/);
    assert.not.match(none.stdout, /1\.000x/);
    assert.match(none.page, "null,null");
  }
  assert.match(
    replayed([
      line({
        ...ZEROS,
        poolBytes: [
          [0, 0],
          [0, 0],
        ],
      }),
    ]).stdout,
    /slowdown\s+1\.000x/,
  );
});

test.run();
