// What would fail in the middle of a compression is refused before it begins: criteria and healing without what they go by, Gram matrices
// that cannot be inverted, groups, architectures. A disk that fills up midway leaves nothing torn, and the same command goes on.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAIN, nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-refusals-"));
const at = (name: string) => join(folder, name);
const lines = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8").split("\n");
const texts = lines.filter((line) => line.startsWith('{"text"'));
const file = (name: string, list: readonly string[]): string => {
  writeFileSync(at(name), list.join("\n"));
  return at(name);
};
const text = file("text.jsonl", texts.slice(0, 6));
const one = file("one.jsonl", texts.slice(0, 1));
/** The shipped model without its calibration set. */
const bare = at("bare");
cpSync(shipped, bare, { recursive: true, filter: (path) => !path.includes("calib") });
const other = (name: string, change: (config: Record<string, unknown>) => void): string => {
  cpSync(bare, at(name), { recursive: true });
  const config = JSON.parse(readFileSync(join(at(name), "config.json"), "utf8"));
  change(config);
  writeFileSync(join(at(name), "config.json"), JSON.stringify(config));
  return at(name);
};

function refused(args: readonly string[], pattern: RegExp): void {
  const { code, stderr } = nibblemark(["compress", args[0], at("out"), ...args.slice(1), "-q"]);
  assert.match(stderr, pattern);
  assert.is(code, 2, stderr);
  assert.not(existsSync(at("out")), args.join(" "));
  assert.not(existsSync(at(".out.compress")), `${args.join(" ")} left work behind`);
}

const magnitude = ["--prune", "1", "--criterion", "magnitude"];

test("what goes by data asks for them", () => {
  for (const criterion of [
    "block-influence",
    "angular",
    "cosine-span",
    "perplexity",
    "taylor",
    "sleb",
    "healed-swap",
  ]) {
    refused([bare, "--prune", "1", "--criterion", criterion], /needs calibration data/);
  }
  refused([bare, ...magnitude, "--compare", "sleb"], /sleb: needs calibration data/);
  refused([bare, "--quant", "awq-int4-g64"], /need calibration data/);
  refused([bare, "--quant", "rtn-int4-g64", "--mean-bits", "5", "--format", "mlx"], /need calibration data/);
  refused([bare, ...magnitude, "--heal", "replaceme"], /needs calibration data/);
  refused([bare, ...magnitude, "--heal", "sft"], /needs samples/);
});

test("samples that say nothing of what is asked are refused", () => {
  const empty = file("empty.jsonl", [""]);
  const shift = ["--prune", "1", "--criterion", "activation-shift"];
  refused(["shipped", ...shift, "--general", empty], /empty/);
  refused(["shipped", ...shift, "--general", file("short.jsonl", ['{"text": "Call me"}'])], /too few/);
  refused(["shipped", "--prune", "1", "--criterion", "task-loss", "--calib", text], /no answers/);
  refused(["shipped", ...magnitude, "--heal", "sft", "--heal-data", one], /one sample/);
  const asked = texts.map(() => '{"prompt": "which digit is top left?"}');
  const prompts = file("prompts.jsonl", asked);
  refused(
    ["shipped", ...magnitude, "--heal", "sft-lora", "--calib", prompts],
    /sample 1: has neither an answer nor text/,
  );
  refused(["shipped", "--prune", "1", "--criterion", "taylor", "--calib", prompts], /neither answers nor text/);
});

test("criteria that are only compared are left out with the reason", () => {
  const args = [at("compared"), ...magnitude, "--compare", "task-loss,block-influence", "--calib", text];
  const { code, stdout, stderr } = nibblemark(["compress", "shipped", ...args, "--no-measure"]);
  assert.is(code, 0, stderr);
  assert.match(stderr, /warning: task-loss is left out: the calibration data have no answers/);
  assert.match(stdout, /block +magnitude +block-influence\n/);
});

test("a Gram matrix that is sure to be singular is refused; GPTQ's damping draws a warning", () => {
  const few = ["--calib", text, "--max-tokens", "12"];
  const replaced = [...magnitude, "--heal", "replaceme", "--ridge", "0"];
  refused(["shipped", ...replaced, ...few], /M\^T M of 72 tokens is singular: the model has 128 channels/);
  // Enough for one map of all samples, too few for one of half of them.
  const some = ["--calib", text, "--max-tokens", "32"];
  refused(
    ["shipped", "--prune", "1", "--ridge", "0", ...some],
    /of \d\d tokens is singular: healed-swap heals from half/,
  );
  refused(["shipped", "--prune", "layers:0,3", "--heal", "replaceme"], /block 0 is removed/);
  const gptq = ["compress", "shipped", at("gptq"), "--quant", "gptq-int4-g64", ...few, "--no-measure"];
  const { code, stderr } = nibblemark(gptq);
  assert.is(code, 0, stderr);
  assert.match(stderr, /warning: gptq: 72 calibration tokens are fewer than the 256 inputs/);
});

test("a place that cannot be written, for the result or its page", () => {
  for (const [args, pattern] of [
    [["/proc/none/out"], /\/proc\/none\/out: no such file or folder/],
    [[at("paged"), "--export-html", "/proc/none/page.html"], /--export-html.*cannot be written/],
  ] as const) {
    const { code, stderr } = nibblemark(["compress", "shipped", ...args, ...magnitude, "-q"]);
    assert.match(stderr, pattern);
    assert.is(code, 2, stderr);
  }
  assert.not(existsSync(at("paged")));
});

test("a set of blocks, an adapter or a picture that cannot be used is refused before the work", () => {
  const span = ["--prune", "2", "--protect", "0,2,4,6"];
  const perplexity = ["--criterion", "perplexity", "--calib", text];
  refused(["shipped", ...span, "--shape", "contiguous", ...perplexity], /no 2 neighbouring blocks are free/);
  refused(["shipped", ...span, "--criterion", "cosine-span", "--calib", text], /no 2 neighbouring blocks are free/);
  const delta = ["--prune", "1", "--criterion", "lora-delta", "--adapter"];
  refused(["shipped", ...delta, at("nowhere")], /adapter_config.json: no such file/);
  mkdirSync(at("adapter"));
  file("adapter/adapter_config.json", ["{r: 8"]);
  refused(["shipped", ...delta, at("adapter")], /adapter_config.json: is no JSON/);
  file("adapter/adapter_config.json", ['{"r": 8, "lora_alpha": 16}']);
  const header =
    '{"layers.9.self_attn.q_proj.lora_A.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"layers.9.self_attn.q_proj.lora_B.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]}}';
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(
    at("adapter/adapter_model.safetensors"),
    Buffer.concat([length, Buffer.from(header), Buffer.alloc(16)]),
  );
  refused(["shipped", ...delta, at("adapter")], /adapts \[2, 2\], this model has no such matrix/);
  file("no.png", ["no picture"]);
  const pictures = file(
    "pictures.jsonl",
    texts.slice(0, 6).concat('{"image": "no.png", "prompt": "?", "answer": "1"}'),
  );
  refused(["shipped", ...magnitude, "--calib", pictures], /line 7: its picture no.png: is neither PNG nor JPEG/);
  refused(["shipped", ...magnitude, "--heal", "sft", "--heal-data", pictures], /line 7: its picture no.png/);
  const mixed = ["--quant", "rtn-int4-g64", "--mean-bits", "4.1", "--format", "mlx"];
  refused(["shipped", ...mixed, "--calib", text], /4.1 bits a weight are less than the 4.313/);
});

test("block 0 stays where ReplaceMe heals, whatever is protected", () => {
  const args = [
    "--prune",
    "6",
    "--protect",
    "none",
    "--criterion",
    "magnitude",
    "--heal",
    "replaceme",
    "--calib",
    text,
  ];
  const { code, stdout, stderr } = nibblemark([
    "compress",
    "shipped",
    at("deep"),
    ...args,
    "--no-measure",
    "-o",
    "json",
  ]);
  assert.is(code, 0, stderr);
  const { removed } = JSON.parse(stdout);
  assert.is(removed.length, 6);
  assert.not(removed.includes(0));
  refused(["shipped", "--prune", "8", "--protect", "none", "--heal", "replaceme"], /leave none|cannot be removed/);
});

test("groups that do not divide and unknown architectures", () => {
  const text = (config: Record<string, unknown>) => config.text_config as Record<string, unknown>;
  const narrow = other("narrow", (config) => {
    text(config).intermediate_size = 288;
  });
  refused([narrow, "--quant", "rtn-int4-g64"], /rows of 288 are no multiple of 64/);
  const strange = other("strange", (config) => {
    text(config).model_type = "mamba";
  });
  refused([strange, "--quant", "rtn-int4-g64"], /"mamba" is not supported/);
});

/** Runs the command in a shell that lets no file become larger. */
function limited(kib: number, args: readonly string[]) {
  const script = `ulimit -f ${kib}; exec "$@"`;
  return spawnSync("bash", ["-c", script, "bash", process.execPath, MAIN, "compress", ...args], { encoding: "utf8" });
}

test("a file that cannot be written midway ends the call with a typed error; the same call goes on", () => {
  const args = [
    "shipped",
    at("tight"),
    ...magnitude,
    "--heal",
    "sft",
    "--heal-data",
    text,
    "--steps",
    "2",
    "--rate",
    "1e-5",
  ];
  const call = [...args, "--quant", "rtn-int4-g64", "--no-measure", "-q"];
  // The pruned model has 3.4 MiB, a checkpoint of sft 20 MiB.
  for (const [kib, name] of [
    [1000, "pruned"],
    [8000, "sft-run"],
  ] as const) {
    const { status, stderr } = limited(kib, call);
    assert.is(status, 2, stderr);
    assert.match(stderr, new RegExp(`${name}.*does not let a file be this large`));
    assert.not(existsSync(at("tight")));
  }
  assert.ok(readdirSync(at(".tight.compress")).includes("pruned"));
  // Another call at the same time, other data under the same name, and then the same work.
  writeFileSync(at(".tight.compress.lock"), `${process.pid}\n`);
  const second = nibblemark(["compress", ...call]);
  assert.is(second.code, 2, second.stderr);
  assert.match(second.stderr, new RegExp(`tight: is being made by process ${process.pid}`));
  // 2^22 is above every process number.
  writeFileSync(at(".tight.compress.lock"), "4194305\n");
  const before = readFileSync(text, "utf8");
  file("text.jsonl", before.split("\n").reverse());
  assert.match(nibblemark(["compress", ...call]).stderr, /unfinished work of another call, or of other data/);
  assert.not(existsSync(at(".tight.compress.lock")));
  writeFileSync(text, before);
  assert.not(readdirSync(at(".tight.compress")).some((name) => name.endsWith(".safetensors") || name === "result"));
  const { code, stderr } = nibblemark(["compress", ...call]);
  assert.is(code, 0, stderr);
  assert.ok(existsSync(join(at("tight"), "model.safetensors")));
  assert.not(existsSync(at(".tight.compress")));
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
