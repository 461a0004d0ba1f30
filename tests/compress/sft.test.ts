// Healing by SFT as a user runs it: the values that come out are others than the pruned model's and predict held-out samples better; a
// call that found nothing better says so.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { idleHealing } from "../../src/cli/compress/findings.js";
import { nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-sft-"));
const at = (name: string) => join(folder, name);

/** Questions of the calibration set with text that the model was not trained on: there is something to learn. */
function writeSamples(): void {
  const questions = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8")
    .split("\n")
    .filter((line, i) => line.includes('"tile"') && i % 2 === 0);
  const words = readFileSync(join(shipped, "eval", "text.txt"), "utf8").split(/\s+/);
  const count = Math.floor(words.length / 25);
  const texts = Array.from({ length: count }, (_, i) => {
    return JSON.stringify({ text: words.slice(25 * i, 25 * (i + 1)).join(" ") });
  });
  writeFileSync(at("samples.jsonl"), [...questions, ...texts].join("\n"));
  writeFileSync(at("pictures.png"), readFileSync(join(shipped, "calib", "pictures.png")));
}

test("SFT changes the values and lowers the loss of samples that it was not trained on", () => {
  writeSamples();
  const prune = ["--prune", "layers:3,6", "--no-measure", "-q"];
  const pruned = nibblemark(["compress", "shipped", at("pruned"), ...prune]);
  assert.is(pruned.code, 0, pruned.stderr);
  const heal = ["--heal", "sft", "--heal-data", at("samples.jsonl"), "--steps", "20", "-o", "json"];
  const { code, stdout, stderr } = nibblemark(["compress", "shipped", at("healed"), ...prune, ...heal]);
  assert.is(code, 0, stderr);
  const { heal: found, warnings } = JSON.parse(stdout);
  assert.is(found.sft.step, 20);
  assert.ok(found.sft.loss < found.sft.start - 0.005, `${found.sft.loss} after ${found.sft.start}`);
  assert.equal(warnings, []);
  const bytes = (name: string) => readFileSync(join(at(name), "model.safetensors"));
  const [before, after] = [bytes("pruned"), bytes("healed")];
  const changed = after.reduce((sum, value, i) => sum + (value === before[i] ? 0 : 1), 0);
  assert.ok(changed > after.length / 20, `${changed} of ${after.length} bytes`);
});

test("a healing that kept its starting point is said to", () => {
  const sft = { start: 1.5, loss: 1.5, step: 0 };
  assert.match(idleHealing({ runs: [], log: [], sft })[0], /kept its starting point.*1\.5000.*--heal-data/);
  assert.equal(idleHealing({ runs: [], log: [], sft: { ...sft, loss: 1.4, step: 20 } }), []);
  assert.equal(idleHealing({ runs: [], log: [], sft: null }), []);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
