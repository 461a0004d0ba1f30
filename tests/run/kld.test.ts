// KL divergence, delta p and perplexity as llama.cpp defines them: a worked example, its base file, and bad ones.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openKldCoder } from "../../src/backends/wasm/kld.js";
import { kldRecordBytes, scoredRows } from "../../src/core/kld.js";
import { isKldBase, kldHeaderBytes, openKldBase } from "../../src/formats/kld-base.js";
import { nodePlatform } from "../../src/platform/node.js";
import { kldChunks } from "../../src/run/kld.js";
import { summarizeKld } from "../../src/stats/kld.js";
import { memorySource } from "../formats/memory-source.js";
import { refuses } from "../support/refuses.js";

const coder = await openKldCoder(nodePlatform());
const base = Float32Array.of(2, 1, 0, -1, 0.5, 0, 3, 1, 0, -2, 1, 1.5, 1, -1, 0);
const model = Float32Array.of(1.8, 1.2, 0, -1.2, 0.4, 0.2, 2.5, 1.4, 0, -2, 1.3, 1.2, 1, -1, 0.1);

const near = (got: number, wanted: number, tolerance = 1e-5) =>
  assert.ok(Math.abs(got - wanted) < tolerance, `${got}, ${wanted} was expected`);

test("the worked example", () => {
  const rows = coder.compare(coder.encode(base, 5), model, Int32Array.of(0, 1, 2));
  for (const [i, kl] of [0.0132912, 0.05749584, 0.02863166].entries()) near(rows[i].kl, kl);
  const summary = summarizeKld(rows);
  near(summary.kl.value, 0.0331395655);
  near(summary.basePerplexity.value, 2.0920627965, 1e-4);
  near(summary.perplexity.value, 2.3283162426);
  near(summary.perplexityRatio.value, 1.1129284678, 1e-4);
  for (const [i, delta] of [-0.06563118, -0.15021272, 0.00227019].entries())
    near(rows[i].pModel - rows[i].pBase, delta);
  near(summary.rmsDeltaP.value, 0.0946510561);
  assert.equal(
    rows.map(({ same }) => same),
    [true, true, false],
  );
  near(summary.sameTop.error, Math.sqrt((2 / 3) * (1 / 3) * (1 / 2)));
  near(summary.klPercentiles["50"], 0.02863166);
});

test("tokens far below the largest are cut at 16 and do not count", () => {
  const far = Float32Array.of(0, -40, 5, 1);
  const [row] = coder.compare(coder.encode(far, 4), Float32Array.of(0, 300, 5, 1), Int32Array.of(2));
  // Only tokens 0, 2 and 3 count; the model puts nothing on them.
  assert.ok(row.kl > 290, `${row.kl}`);
  const [same] = coder.compare(coder.encode(far, 4), far, Int32Array.of(2));
  near(same.kl, 0, 1e-6);
});

test("a base file holds tokens and records", async () => {
  const tokens = Array.from({ length: 20 }, (_, i) => (i * 3) % 5);
  const header = kldChunks(tokens, 8, 9, 5, 1);
  assert.equal([header.chunks, header.tokens[0], header.tokens[8], header.tokens[9]], [2, 1, 1, (9 * 3) % 5]);
  assert.is(scoredRows(8), 3);
  const records = coder.encode(base, 5);
  assert.is(records.length, 3 * kldRecordBytes(5));
  const head = kldHeaderBytes(header);
  const file = Uint8Array.from([...head, ...records, ...records]);
  assert.ok(await isKldBase(memorySource(file)));
  const opened = await openKldBase(memorySource(file));
  assert.equal(opened.header, header);
  assert.equal(await opened.records(1), records);
  await refuses(() => openKldBase(memorySource(file.slice(0, -1))), /size/);
  const wrong = file.slice();
  wrong[20] = 5;
  await refuses(() => openKldBase(memorySource(wrong)), /tokens: 5 is outside/);
  wrong.fill(0, 8, 20);
  await refuses(() => openKldBase(memorySource(wrong)), /header/);
  await refuses(() => kldChunks(tokens, 16, 9, 5, 1), /two chunks of 16/);
});

test.run();
