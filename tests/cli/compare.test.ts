// `compare` and `report` on real results: a run beside itself, beside a slowed copy, beside llama-bench's file, and bad files.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { isBadInput, newFolder, nibblemark } from "./nibblemark.js";

const { path: folder, remove } = newFolder();
test.after(remove);
const file = (name: string) => join(folder, name);
const write = (name: string, value: unknown) => {
  writeFileSync(file(name), typeof value === "string" ? value : JSON.stringify(value));
  return file(name);
};

const before = file("before.json");
const bench = [
  "bench",
  "--quant",
  "int8",
  "--target",
  "wasm-simd/1t",
  "--test",
  "tg4,vision",
  "--rounds",
  "9",
  "--no-quality",
];
const made = nibblemark([...bench, "--host", "default", "--export-json", before, "-q"]);
assert.is(made.code, 0, made.stderr);
const result = JSON.parse(readFileSync(before, "utf8")) as BenchResult;
const slowed = (factor: number): BenchResult => ({
  ...result,
  cases: result.cases.map((entry) =>
    entry.state === "measured" ? { ...entry, samplesNs: entry.samplesNs.map((ns) => ns * factor) } : entry,
  ),
});

/** As llama-bench of llama.cpp build 4000 writes it, two rows of it. */
const LLAMA = [
  { n_prompt: 512, n_gen: 0, samples_ns: [2e9, 2.1e9], avg_ns: 2.05e9 },
  { n_prompt: 0, n_gen: 128, samples_ns: [4e9, 4.2e9], avg_ns: 4.1e9 },
].map((row) => ({
  build_commit: "8f1d81a0",
  cpu_info: "AMD EPYC",
  gpu_info: "",
  backends: "CPU",
  model_filename: "models/tinyllama.gguf",
  model_type: "llama 1B Q4_0",
  n_threads: 2,
  ...row,
}));

test("a run beside itself is the same, and passes --fail-on", () => {
  const { code, stdout } = nibblemark(["compare", before, before, "--fail-on", "regression"]);
  assert.is(code, 0);
  assert.match(stdout, /tg4 .* \+0\.0 % +1\.000 +same/);
  assert.match(stdout, /geometric mean of the times: \+0\.0 % over 2 cases/);
});

test("a slowed run fails a build only when asked to, a faster one never", () => {
  // Further apart than the samples of a machine that others keep busy.
  const slow = write("slow.json", slowed(30));
  const { code, stdout } = nibblemark(["compare", before, slow, "-o", "json"]);
  assert.is(code, 0);
  const { cases } = JSON.parse(stdout);
  assert.equal([...new Set(cases.map(({ verdict }: { verdict: string }) => verdict))], ["slower"]);
  assert.ok(cases.every(({ p }: { p: number }) => p < 0.05));
  assert.is(nibblemark(["compare", before, slow, "--fail-on", "regression"]).code, 1);
  assert.is(nibblemark(["compare", slow, before, "--fail-on", "regression"]).code, 0);
});

test("another scenario is refused unless told otherwise", () => {
  const other = write("other.json", { ...result, scenario: { ...result.scenario, seed: 77 } });
  isBadInput(nibblemark(["compare", before, other]), "other.json", "seed", "--any-scenario");
  assert.is(nibblemark(["compare", before, other, "--any-scenario"]).code, 0);
});

test("machines, runtimes and adapters that differ are warned of", () => {
  const gpu = (detail: string): BenchResult["targets"][number] => ({
    ...{ target: { host: "node", backend: "webgpu", variant: "discrete", threads: 1 }, available: true, detail },
  });
  const elsewhere = (cpu: string, deno: string, adapter: string): BenchResult => ({
    ...{ ...result, environment: { ...result.environment, cpu }, targets: [...result.targets, gpu(adapter)] },
    hosts: [{ host: "deno", runtime: deno, bandwidth: [] }],
  });
  const paths = [
    write("here.json", elsewhere("one CPU", "deno 2.9.6", "RTX 4090")),
    write("there.json", elsewhere("another CPU", "deno 3.0.0", "RX 7900")),
  ];
  const { code, stderr } = nibblemark(["compare", ...paths]);
  assert.is(code, 0);
  assert.match(stderr, /note: cpu differs: one CPU, then another CPU/);
  assert.match(stderr, /note: runtime of deno differs: deno 2\.9\.6, then deno 3\.0\.0/);
  assert.match(stderr, /note: adapter of node\/webgpu-discrete\/1t differs: RTX 4090, then RX 7900/);
  assert.is(nibblemark(["compare", before, before]).stderr, "");
});

test("under nine samples on a side nothing is told, however far apart", () => {
  const few = (factor: number): BenchResult => ({
    ...slowed(factor),
    cases: slowed(factor).cases.map((entry) =>
      entry.state === "measured" ? { ...entry, samplesNs: entry.samplesNs.slice(0, 8) } : entry,
    ),
  });
  const after = write("few.json", few(5));
  const { code, stdout, stderr } = nibblemark(["compare", before, after, "--fail-on", "regression", "-q"]);
  assert.is(code, 0);
  assert.match(stdout, /tg4 .* \+\d+\.\d % +– +too few to tell/);
  for (const text of [stdout, stderr])
    assert.match(text, /nothing can be told: .* --rounds 9 or more \(llama-bench: -r 9\)/);
  assert.is(nibblemark(["compare", before, after, "-q"]).stderr, "");
});

test("a case that ran before and failed after fails the check, and its reason is told", () => {
  const failing = (count: number): BenchResult => ({
    ...result,
    cases: result.cases.map((entry, i) => {
      const { model, synthetic, target, quant, activations, test: name } = entry;
      const base = { model, synthetic, target, quant, activations, test: name };
      return i < count ? { ...base, state: "failed", reason: "memory ran out" } : entry;
    }),
  });
  for (const count of [1, result.cases.length]) {
    const after = write(`failing${count}.json`, failing(count));
    const { code, stdout, stderr } = nibblemark(["compare", before, after]);
    assert.is(code, 0);
    assert.match(stdout, /node\/wasm-simd\/1t: failed in failing\d: memory ran out/);
    assert.match(stderr, new RegExp(`note: ${count} of the 2 cases of before failed in failing`));
    assert.is(nibblemark(["compare", before, after, "--fail-on", "regression"]).code, 1);
    assert.is(nibblemark(["compare", after, after, "--fail-on", "regression"]).code, count === 1 ? 0 : 2);
  }
});

test("the default benchmark has as many rounds as a comparison needs", () => {
  const { rounds } = JSON.parse(nibblemark(["bench", "--print-scenario"]).stdout);
  assert.is(rounds, 9);
});

test("llama-bench's rows stand beside ours", () => {
  const llama = write("llama.json", LLAMA);
  const lines = write("llama.jsonl", LLAMA.map((row) => JSON.stringify(row)).join("\n"));
  // As a redirection of PowerShell writes it.
  const marked = write("marked.json", `\uFEFF${JSON.stringify(LLAMA)}`);
  for (const path of [llama, lines, marked]) {
    const { code, stdout } = nibblemark(["report", before, path, "-o", "md"]);
    assert.is(code, 0);
    assert.match(stdout, /tinyllama\.gguf \| llama\.cpp\/CPU\/2t \| Q4\\_0 .*pp512 \| – \| 250 t\/s/);
    assert.match(stdout, /nibblemark-llava-2m \| node\/wasm-simd\/1t .*tg4 \| \d/);
  }
  const single = write("single.jsonl", `${JSON.stringify(LLAMA[0])}\n`);
  assert.match(nibblemark(["report", single]).stdout, /pp512 .*250 t\/s/);
  assert.match(nibblemark(["compare", llama, llama]).stdout, /too few to tell/);
  isBadInput(nibblemark(["compare", before, llama]), "llama.json", "by llama-bench", "nibblemark report");
});

test("a report of one result says what bench said; of several it is one page", () => {
  const [again, page] = [file("again.json"), file("page.html")];
  assert.is(nibblemark(["report", before, "--export-json", again]).code, 0);
  assert.equal(JSON.parse(readFileSync(again, "utf8")), result);
  const twice = write("twice.json", slowed(2));
  assert.is(nibblemark(["report", before, twice, "--export-html", page]).code, 0);
  const html = readFileSync(page, "utf8");
  assert.match(html, /<th class="right">before<\/th><th class="right">twice<\/th>/);
  isBadInput(nibblemark(["report", before, twice, "-o", "csv"]), "csv", "table, md, json, html");
});

test("files of one name are told apart by their folders, and one file twice by its number", () => {
  const paths = ["m1", "m2"].map((name) => {
    mkdirSync(file(name));
    return write(`${name}/result.json`, result);
  });
  assert.match(nibblemark(["report", ...paths, before, "-o", "md"]).stdout, /\| m1\/result \| m2\/result \| before \|/);
  assert.match(nibblemark(["compare", ...paths]).stdout, /m1\/result before, m2\/result after/);
  const { runs } = JSON.parse(nibblemark(["report", before, before, "-o", "json"]).stdout);
  assert.equal(
    runs.map(({ name }: { name: string }) => name),
    [`${before} #1`, `${before} #2`],
  );
});

test("files that are no results name file and field", () => {
  isBadInput(nibblemark(["compare", before, file("absent.json")]), "absent.json");
  isBadInput(nibblemark(["compare", before, write("torn.json", '{"schemaVersion": 1')]), "torn.json", "JSON");
  isBadInput(nibblemark(["compare", before, write("new.json", { ...result, schemaVersion: 9 })]), "schemaVersion");
  const [first, ...rest] = result.cases;
  const broken = { ...result, cases: [{ ...first, samplesNs: ["fast"] }, ...rest] };
  isBadInput(nibblemark(["report", write("broken.json", broken)]), "cases.0.samplesNs.0");
  const odd = LLAMA.map((row) => ({ ...row, n_prompt: "many" }));
  isBadInput(nibblemark(["report", write("odd.json", odd)]), "[0].n_prompt");
  isBadInput(nibblemark(["compare", before]), "two result files");
  isBadInput(nibblemark(["compare", before, before, "--fail-on", "noise"]), "--fail-on");
});

test.run();
