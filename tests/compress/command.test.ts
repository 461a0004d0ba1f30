// `nibblemark compress` as a user runs it: bad input is refused at once and leaves nothing behind, a killed call goes on where it was
// and gives the same bytes, and the result is a model that runs.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";
import { root } from "../support/root.js";

const cli = join(root, "build", "src", "cli", "main.js");
const folder = mkdtempSync(join(tmpdir(), "nibblemark-compress-"));
const at = (name: string) => join(folder, name);
const calib = join(shipped, "calib", "calib.jsonl");

/** A quarter of the shipped calibration set, so that a call takes seconds. */
writeFileSync(
  at("few.jsonl"),
  readFileSync(calib, "utf8")
    .split("\n")
    .filter((line, i) => line !== "" && i % 6 === 0)
    .join("\n"),
);
writeFileSync(at("pictures.png"), readFileSync(join(shipped, "calib", "pictures.png")));
const few = ["--calib", at("few.jsonl"), "--no-measure", "-q"];

async function refused(args: readonly string[], pattern: RegExp): Promise<void> {
  const { code, stderr } = nibblemark(["compress", ...args]);
  assert.match(stderr, pattern);
  assert.is(code, 2, stderr);
}

test("bad input is refused before any work", async () => {
  const out = at("bad");
  await refused(["shipped"], /OUT/);
  await refused(["shipped", out, "--prune", "8"], /would leave none/);
  await refused(["shipped", out, "--prune", "6"], /protected/);
  await refused(["shipped", out, "--prune", "layers:9"], /no block 9/);
  await refused(["shipped", out, "--prune", "2", "--criterion", "derm-llava"], /order of 32 blocks/);
  await refused(["shipped", out, "--prune", "2", "--criterion", "nonsense"], /unknown/);
  await refused(["shipped", out, "--prune", "2", "--criterion", "lora-delta"], /adapter/);
  await refused(["shipped", out, "--prune", "2", "--criterion", "activation-shift"], /general/);
  await refused(["shipped", out, "--heal", "replaceme"], /none is removed/);
  await refused(["shipped", out, "--quant", "awq-int5-g128"], /no quantization scheme/);
  await refused(["shipped", out, "--quant", "rtn-int8-row"], /mlx/);
  await refused(["shipped", out, "--quant", "awq-int4-g64", "--mean-bits", "5"], /4 bits only/);
  await refused(["shipped", shipped, "--quant", "rtn-int4-g64"], /exists already|read from/);
  await refused([at("nothing"), out, "--quant", "rtn-int4-g64"], /no such file/);
  writeFileSync(at("empty.jsonl"), "\n");
  await refused(["shipped", out, "--quant", "awq-int4-g64", "--calib", at("empty.jsonl")], /empty/);
  writeFileSync(at("small.jsonl"), '{"text": "one two"}\n');
  await refused(["shipped", out, "--quant", "awq-int4-g64", "--calib", at("small.jsonl")], /too few/);
  writeFileSync(at("broken.jsonl"), '{"text": "one"}\n{"image": 3}\n');
  await refused(["shipped", out, "--quant", "awq-int4-g64", "--calib", at("broken.jsonl")], /line 2/);
  assert.not(existsSync(out));
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith(".")),
    [],
  );
});

test("a calibration set of text alone draws a warning", async () => {
  const lines = readFileSync(calib, "utf8")
    .split("\n")
    .filter((line) => line.includes('"text"'));
  writeFileSync(at("text.jsonl"), lines.slice(0, 12).join("\n"));
  const args = [
    "compress",
    "shipped",
    at("text"),
    "--quant",
    "rtn-int4-g64",
    "--calib",
    at("text.jsonl"),
    "--no-measure",
  ];
  const { code, stderr } = nibblemark(args);
  assert.is(code, 0, stderr);
  assert.match(stderr, /warning: .*text only/);
  // The result is a model, and one that is quantized already.
  await refused([at("text"), at("twice"), "--quant", "rtn-int4-g64"], /quantized already/);
});

test("a call that was killed goes on and gives the bytes of one that was not", async () => {
  const args = ["compress", "shipped", at("killed"), "--prune", "2", "--criterion", "block-influence"];
  const rest = ["--heal", "replaceme", "--quant", "awq-int4-g32", ...few];
  const work = at(".killed.compress");
  let kills = 0;
  for (const mark of ["scoring.json", "pruned", "replaced", "block-1.safetensors", "result"]) {
    const child = spawn(process.execPath, [cli, ...args, ...rest], { stdio: "ignore" });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    while (!isOver && !existsSync(join(work, mark))) await new Promise((resolve) => setTimeout(resolve, 3));
    if (!isOver) kills++;
    child.kill("SIGKILL");
    await ended;
    if (existsSync(at("killed"))) break;
    assert.ok(existsSync(work), mark);
  }
  assert.ok(kills >= 3, `${kills} kills`);
  if (!existsSync(at("killed"))) {
    // Another call must not take over this work.
    await refused([...args.slice(1), "--quant", "rtn-int4-g32", ...few], /another call/);
    const { code, stderr } = nibblemark([...args, ...rest]);
    assert.is(code, 0, stderr);
  }
  const straight = ["compress", "shipped", at("straight"), ...args.slice(3), ...rest];
  assert.is(nibblemark(straight).code, 0);
  for (const name of readdirSync(at("straight"))) {
    assert.equal(readFileSync(join(at("killed"), name)), readFileSync(join(at("straight"), name)), name);
  }
  assert.not(existsSync(work));
  const config = JSON.parse(readFileSync(join(at("killed"), "config.json"), "utf8"));
  assert.is(config.text_config.num_hidden_layers, 6);
  assert.is(config.quantization_config.group_size, 32);
});

test("the result is measured stage by stage and answers questions", async () => {
  const args = ["compress", "shipped", at("mixed"), "--quant", "gptq-int4-g64", "--mean-bits", "5", "--format", "mlx"];
  const parts = [
    "--quant-embedding",
    "int8",
    "--quant-vision",
    "int8",
    "--quant-projector",
    "int8",
    "-o",
    "json",
    "-q",
  ];
  const { code, stdout, stderr } = nibblemark([...args, ...parts, "--calib", at("few.jsonl")]);
  assert.is(code, 0, stderr);
  const { stages } = JSON.parse(stdout);
  assert.equal(
    stages.map(({ stage }: { stage: string }) => stage),
    ["original", "quantized"],
  );
  const [original, quantized] = stages;
  assert.ok(quantized.bitsPerWeight < 8 && original.bitsPerWeight > 16, `${quantized.bitsPerWeight}`);
  assert.ok(quantized.figures.klText.value > 0 && quantized.figures.klText.value < 0.1);
  assert.ok(quantized.figures.accuracy.value > original.figures.accuracy.value - 0.05);
  assert.ok(quantized.figures.answerShift.value > 0.5 * original.figures.answerShift.value);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
