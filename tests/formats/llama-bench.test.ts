// llama-bench's rows as cases: one a configuration, whatever was swept; rows of different settings never share a name.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { llamaBenchRows, readLlamaBench } from "../../src/formats/llama-bench.js";
import { compareRuns, scenarioDifferences } from "../../src/stats/compare.js";

const row = (settings: Record<string, unknown>, ns = 1e9) => ({
  ...{ build_commit: "8f1d81a0", cpu_info: "Xeon", gpu_info: "RTX 4090", backends: "CUDA", n_threads: 8 },
  ...{ model_filename: "m/llama.gguf", model_type: "llama 7B Q4_0", n_prompt: 512, n_gen: 0, n_gpu_layers: 99 },
  ...{ n_batch: 2048, type_k: "f16", flash_attn: false, use_mmap: true },
  samples_ns: Array.from({ length: 9 }, (_, i) => ns * (1 + i / 1000)),
  ...settings,
});
type Rows = readonly Record<string, unknown>[];
const read = (rows: Rows, name = "a") => readLlamaBench(name, `${name}.json`, rows);
const targets = (rows: Rows) => read(rows).cases.map(({ target }) => target);
const verdicts = (before: Rows, after: Rows) =>
  compareRuns(read(before), read(after, "b"))?.cases.map(({ target, verdict }) => [target, verdict]);

test("a case is named by what is not llama-bench's default, in its own words", () => {
  assert.equal(targets([row({})]), ["llama.cpp/CUDA/8t"]);
  const sweep = [{ n_gpu_layers: 0 }, { flash_attn: true }, { n_batch: 64, n_ubatch: 32 }, { type_k: "q8_0" }];
  assert.equal(
    targets([...sweep, { use_mmap: false }].map((settings) => row(settings))),
    ["ngl 0", "fa 1", "b 64 ub 32", "ctk q8_0", "mmp 0"].map((words) => `llama.cpp/CUDA/8t ${words}`),
  );
});

test("a sweep's rows keep their partners whatever order they come in", () => {
  const [cpu, gpu] = [row({ n_gpu_layers: 0 }, 9e9), row({})];
  const paired = [
    ["llama.cpp/CUDA/8t ngl 0", "same"],
    ["llama.cpp/CUDA/8t", "same"],
  ];
  assert.equal(verdicts([cpu, gpu], [cpu, gpu]), paired);
  assert.equal(verdicts([cpu, gpu], [gpu, cpu]), [...paired].reverse());
  assert.is(verdicts([cpu], [gpu]), undefined);
});

test("a setting that is not known here tells rows apart too, and runs", () => {
  assert.equal(targets([row({ novel: 1 }), row({ novel: 2 })]), [
    "llama.cpp/CUDA/8t novel 1",
    "llama.cpp/CUDA/8t novel 2",
  ]);
  const [one, two] = [read([row({ novel: 1 })]), read([row({ novel: 2 })], "b")];
  assert.equal(scenarioDifferences(one, two), ["novel (1; 2)"]);
  assert.equal(scenarioDifferences(one, read([row({})], "b")), []);
});

test("models of one file name in two folders are two, and a repeated row is refused by its number", () => {
  const models = read([row({}), row({ model_filename: "n/llama.gguf" })]).cases.map(({ model }) => model);
  assert.equal(models, ["m/llama.gguf", "n/llama.gguf"]);
  assert.throws(() => read([row({}), row({ n_gen: 1, n_prompt: 0 }), row({})]), /\[2\].*repeats \[0\].*pp512/);
});

test("JSON Lines of one row are llama-bench's too, other objects are not", () => {
  assert.is(llamaBenchRows(row({}))?.length, 1);
  assert.is(llamaBenchRows([])?.length, undefined);
  assert.is(llamaBenchRows({ schemaVersion: 1 }), null);
});

test.run();
