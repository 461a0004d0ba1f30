// The progress bar: a line with a bar and the time left on a terminal, one line a stage in a log, nothing when quiet.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { progressBar, progressLine } from "../../src/cli/terminal.js";

function stream(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { written, stream: { isTTY, columns: 60, write } as unknown as NodeJS.WriteStream };
}

test("half of the way after four seconds leaves four", () => {
  assert.is(
    progressLine({ stage: "measuring", done: 5, total: 10 }, 4000),
    "measuring [############------------] 5/10, 4 s left",
  );
});

test("no time is told at the start", () => {
  assert.is(progressLine({ stage: "a", done: 0, total: 4 }, 9000), "a [------------------------] 0/4");
});

test("a log gets one line a stage", () => {
  const { written, stream: log } = stream(false);
  const bar = progressBar(false, log);
  for (const [stage, done] of [
    ["a", 0],
    ["a", 1],
    ["b", 0],
  ] as const)
    bar.show({ stage, done, total: 2 });
  bar.clear();
  assert.equal(written, ["a\n", "b\n"]);
});

test("a terminal gets its line redrawn, no wider than it is", () => {
  const { written, stream: terminal } = stream(true);
  const bar = progressBar(false, terminal);
  bar.show({ stage: "x".repeat(100), done: 1, total: 2 });
  assert.ok((written[0]?.length ?? 0) < 70);
  assert.ok(written[0]?.startsWith("\r"));
});

test("quiet means nothing", () => {
  const { written, stream: terminal } = stream(true);
  const bar = progressBar(true, terminal);
  bar.show({ stage: "a", done: 1, total: 2 });
  bar.clear();
  assert.equal(written, []);
});

test.run();
