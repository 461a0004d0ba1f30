// The AutoAWQ folder that we write, as AutoAWQ's own packing_utils.py and transformers read it (tests/golden/awq-oracle.json,
// made by scripts/fixtures/awq_oracle.py): the same matrices bit for bit, the same logits.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { convert, type FormName } from "../../src/cli/parts/conversion.js";
import { writeSmallModel } from "../cli/small-model.js";
import { root } from "../support/root.js";
import { ourLogits } from "./llama-cpp.js";
import { inFolder, platform, valuesOf } from "./writers.js";

interface Oracle {
  readonly group: number;
  readonly matrices: Readonly<Record<string, string>>;
  readonly ids: readonly number[];
  /** Of the first 32 tokens of the vocabulary, at every position. */
  readonly logits: readonly (readonly number[])[];
}

const oracle = JSON.parse(readFileSync(join(root, "tests", "golden", "awq-oracle.json"), "utf8")) as Oracle;

test("AutoAWQ unpacks the values that we read, and transformers says the same", async () => {
  await inFolder(async (folder) => {
    const input = await writeSmallModel(folder);
    const output = join(folder, "awq");
    const form = `hf-awq-g${oracle.group}` as FormName;
    await convert(platform, { input, output, form, force: false, tool: "test" }, undefined);
    const values = await valuesOf(output);
    const names = Object.keys(oracle.matrices);
    assert.is(names.length, 56);
    for (const name of names) {
      const own = values.get(name.replace(/^language_model\./, "")) as Float32Array;
      assert.is(createHash("sha256").update(own).digest("hex"), oracle.matrices[name], name);
    }
    const { logits, model } = await ourLogits(output, oracle.ids, "f32");
    const { vocab } = model.config.decoder;
    oracle.logits.forEach((row, position) => {
      row.forEach((wanted, token) => {
        const apart = Math.abs(wanted - logits[position * vocab + token]);
        assert.ok(apart < 2e-4, `position ${position}, token ${token}: ${apart} apart`);
      });
    });
  });
});

test.run();
