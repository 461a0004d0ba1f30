// GGUF files that we write: blocks as gguf-py rounds them, the shipped model read back with its eyes, and llama.cpp loads
// its decoder and says the same.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openRounder } from "../../src/backends/wasm/rounder.js";
import type { GgufQuant } from "../../src/formats/gguf-export.js";
import { ggufBytes } from "../../src/formats/gguf-write.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";
import { askLlamaCpp, CLEAR_NATS, CLEAR_NATS_QUANTIZED, compare, haveFixtures, ourLogits } from "./llama-cpp.js";
import { shipped, writeShipped } from "./write-shipped.js";

const platform = nodePlatform();
const WAVE = Float32Array.from({ length: 32 }, (_, i) => 0.1 + 2 * Math.cos(i));
const GOLDEN = {
  Q4_0: "33b4f0a43b0f5dc5f0c2490f3ea8f1d1671d",
  Q4_1: "44349abf0f5cc4f0b33a0f4db6f1c1580e2e99e2",
  Q8_0: "3c247f47d48eb7287a61f498a1076c7417aa92e5567e37c48dc6397e54e392ac1975",
} as const;

test("blocks are rounded as gguf-py rounds them", async () => {
  const { blocks: pack } = await openRounder(platform);
  for (const [type, hex] of Object.entries(GOLDEN)) {
    assert.is(Buffer.from(pack(type as GgufQuant, WAVE)).toString("hex"), hex, type);
  }
  assert.is(Buffer.from(pack("F16", Float32Array.of(1, -2, 65504))).toString("hex"), "003c00c0ff7b");
});

test("rows that a type cannot hold are refused with a proposal", () => {
  assert.throws(
    () => ggufBytes({ name: "w", type: "Q8_0", shape: [4, 40] }),
    /needs multiples of 32. Write this tensor as F16/,
  );
});

const TEXT = "Call me Ishmael. The government of the United States of America is not the whale.";
const judge = haveFixtures("llama.cpp");

for (const type of ["F16", "Q8_0", "Q4_1", "Q4_0"] as const) {
  test(`the shipped model as ${type}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
    try {
      const path = await writeShipped(folder, type);
      const [before, after] = [await openModel(platform, shipped), await openModel(platform, path)];
      await Promise.all([closeModel(before), closeModel(after)]);
      assert.is(after.config.architecture, "llava");
      assert.equal({ ...after.config.decoder, ropeStyle: "half", normEps: 1e-5 }, before.config.decoder);
      assert.is(after.config.architecture === "llava" && after.config.imageTokenId, 4);
      const ids = before.tokenizer?.encode(TEXT) ?? [];
      assert.equal(after.tokenizer?.encode(TEXT), ids);
      const tokens = [1, ...ids];
      if (type === "F16") {
        const [a, b] = [await ourLogits(shipped, tokens, "f32"), await ourLogits(path, tokens, "f32")];
        const worst = a.logits.reduce((most, value, i) => Math.max(most, Math.abs(value - b.logits[i])), 0);
        assert.ok(worst < 1e-3, `logits differ by ${worst}`);
      }
      if (!judge) return;
      const judged = askLlamaCpp(path, { tokens });
      const { kl, same, worstLead } = compare(judged, (await ourLogits(path, tokens, "f32")).logits);
      console.log(`${type}: KL ${kl.toExponential(1)}, same top ${(same * 100).toFixed(1)} %`);
      assert.ok(kl <= (type === "F16" ? 1e-3 : 5e-3), `KL divergence ${kl}`);
      assert.ok(worstLead <= (type === "F16" ? CLEAR_NATS : CLEAR_NATS_QUANTIZED), `${worstLead} nat apart`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test.run();
