// Scores by class of token as a user sees them: Taylor's by the class that is predicted, a dash where a criterion has none.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-classes-"));
const at = (name: string) => join(folder, name);
const lines = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8").split("\n");
writeFileSync(at("pictures.png"), readFileSync(join(shipped, "calib", "pictures.png")));
writeFileSync(at("few.jsonl"), lines.filter((line, i) => line !== "" && i % 9 === 0).join("\n"));
writeFileSync(
  at("general.jsonl"),
  lines
    .filter((line) => line.includes('"text"'))
    .slice(0, 8)
    .join("\n"),
);

interface Criterion {
  readonly criterion: string;
  readonly scores: Readonly<Record<string, readonly (number | null)[]>>;
}

test("every criterion with tokens tells its scores by class", () => {
  const compare = "taylor,activation-shift,magnitude,healed-swap";
  const args = ["compress", "shipped", at("out"), "--prune", "1", "--criterion", "perplexity", "--compare", compare];
  const data = ["--calib", at("few.jsonl"), "--general", at("general.jsonl"), "--search-budget", "4", "--no-measure"];
  const { code, stdout, stderr } = nibblemark([...args, ...data, "-q", "-o", "json"]);
  assert.is(code, 0, stderr);
  const { criteria } = JSON.parse(stdout) as { readonly criteria: readonly Criterion[] };
  const of = (name: string) => criteria.find(({ criterion }) => criterion === name)?.scores as Criterion["scores"];
  const known = (name: string) =>
    ["image", "prompt", "answer", "text"].filter((kind) => of(name)[kind]?.some((score) => score !== null));
  // Pictures are given, never predicted.
  assert.equal(known("taylor"), ["prompt", "answer", "text"]);
  assert.not.equal(of("taylor").answer, of("taylor").text);
  // Healing's loss weighs answers by 1 and text by 0.05: its gradient is that sum, and |a + b| <= |a| + |b|.
  of("taylor").all.forEach((all, layer) => {
    const parts = (of("taylor").answer[layer] as number) + 0.05 * (of("taylor").text[layer] as number);
    assert.ok((all as number) <= parts * (1 + 1e-4) && (all as number) > 0.3 * parts, `${all} of ${parts}`);
  });
  // The general samples are text alone.
  assert.equal(known("activation-shift"), ["text"]);
  assert.equal(known("healed-swap"), ["prompt", "answer", "text"]);
  assert.equal(known("magnitude"), []);
});

test("the table has a section a class, with a dash for a criterion of weights alone", () => {
  const args = ["compress", "shipped", at("table"), "--prune", "1", "--criterion", "magnitude"];
  const more = ["--compare", "taylor", "--calib", at("few.jsonl"), "--no-measure", "-q"];
  const { code, stdout, stderr } = nibblemark([...args, ...more]);
  assert.is(code, 0, stderr);
  const rows = stdout.split("\n");
  const from = rows.findIndex((row) => row.includes("by answer tokens"));
  assert.ok(from > 0, stdout);
  assert.match(rows[from + 1], /block +magnitude +taylor/);
  assert.ok(
    rows.slice(from + 2, from + 10).some((row) => /^ *0 +– +\d/.test(row)),
    rows.slice(from, from + 10).join("\n"),
  );
  assert.not.match(stdout, /by image tokens/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
