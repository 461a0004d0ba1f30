// Flags of `compress` that cannot be followed as given are refused before any work: healers out of order, shapes that a criterion does not
// have, blocks that are not there, flags without what they act on. A published order keeps what is protected by name.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-flags-"));
const at = (name: string) => join(folder, name);
const lines = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8").split("\n");
const text = at("text.jsonl");
writeFileSync(
  text,
  lines
    .filter((line) => line.startsWith('{"text"'))
    .slice(0, 6)
    .join("\n"),
);
const magnitude = ["--prune", "1", "--criterion", "magnitude"];

function refused(args: readonly string[], pattern: RegExp): void {
  const { code, stderr } = nibblemark(["compress", args[0], at("out"), ...args.slice(1), "-q"]);
  assert.match(stderr, pattern);
  assert.is(code, 2, stderr);
  assert.not(existsSync(at("out")), args.join(" "));
  assert.not(existsSync(at(".out.compress")), `${args.join(" ")} left work behind`);
}

const withPlace = ([model, ...rest]: readonly string[], out: string) => [model, out, ...rest];

/** Gives the model so many blocks, all with the weights of its block 0: names in its file's header, over the same bytes. */
function tensorsOfBlocks(path: string, count: number): number {
  const file = join(path, "model.safetensors");
  const bytes = readFileSync(file);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const tensors = Object.entries(JSON.parse(bytes.subarray(8, end).toString()) as Record<string, HeaderEntry>);
  const data: Buffer[] = [];
  let offset = 0;
  const header: Record<string, HeaderEntry> = {};
  const put = (name: string, { dtype, shape, data_offsets: [from, to] }: HeaderEntry) => {
    data.push(bytes.subarray(end + from, end + to));
    header[name] = { dtype, shape, data_offsets: [offset, offset + to - from] };
    offset += to - from;
  };
  for (const [name, entry] of tensors) {
    const place = /^(language_model\.model\.layers\.)(\d+)(\..*)$/.exec(name);
    if (!place && name !== "__metadata__") put(name, entry);
    if (place?.[2] === "0") for (let i = 0; i < count; i++) put(`${place[1]}${i}${place[3]}`, entry);
  }
  const text = JSON.stringify(header);
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  writeFileSync(file, Buffer.concat([size, head, ...data]));
  return Object.keys(header).filter((name) => name.endsWith("mlp.up_proj.weight")).length;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

test("healers run in the order that is named, or not at all", () => {
  const heal = (list: string) => ["shipped", ...magnitude, "--calib", text, "--heal", list];
  refused(heal("replaceme,replaceme-cosine"), /replaceme and replaceme-cosine heal the same blocks/);
  refused(heal("sft,replaceme"), /replaceme maps what the unhealed model does.*Write --heal replaceme,sft/);
  refused(heal("sft,sft"), /sft is named twice/);
});

test("shapes that a criterion cannot follow, blocks that are not there and idle flags are refused", () => {
  const data = ["--calib", text, "--max-tokens", "16"];
  refused(["shipped", "--prune", "2", "--criterion", "cosine-span", "--shape", "spaced", ...data], /no --shape spaced/);
  const narrow = ["--shape", "contiguous", "--protect", "0,2,4,6"];
  refused(["shipped", "--prune", "2", ...narrow, ...data], /no 2 neighbouring blocks are free/);
  refused(["shipped", "--prune", "2", "--protect", "99", ...data], /--protect: there is no block 99/);
  refused(["shipped", "--prune", "layers:"], /names no block/);
  refused(["shipped", "--criterion", "magnitude"], /--criterion: does nothing without --prune N/);
  refused(["shipped", "--prune", "layers:3", "--shape", "spaced"], /--shape: does nothing without --prune N/);
  refused(["shipped", ...magnitude, "--steps", "5"], /--steps: does nothing without --heal sft/);
  refused(["shipped", ...magnitude, "--ridge", "0.1"], /--ridge: does nothing without --heal replaceme/);
});

test("a published order takes no shape and keeps what is protected by name", () => {
  const deep = at("deep");
  cpSync(shipped, deep, { recursive: true, filter: (path) => !path.includes("calib") });
  const config = JSON.parse(readFileSync(join(deep, "config.json"), "utf8"));
  config.text_config.num_hidden_layers = 32;
  writeFileSync(join(deep, "config.json"), JSON.stringify(config));
  assert.is(tensorsOfBlocks(deep, 32), 32);
  const order = [deep, "--prune", "4", "--criterion", "derm-llava"];
  refused([...order, "--shape", "spaced"], /published order, which has no --shape spaced/);
  refused([deep, "--prune", "14", "--criterion", "derm-llava", "--protect", "4"], /cannot be removed/);
  for (const [protect, removed] of [
    [[], [4, 18, 22, 23]],
    [
      ["--protect", "23,18"],
      [4, 21, 22, 24],
    ],
  ] as const) {
    const out = at(`order-${protect.length}`);
    const { code, stdout, stderr } = nibblemark([
      "compress",
      ...withPlace(order, out),
      ...protect,
      "--no-measure",
      "-o",
      "json",
    ]);
    assert.is(code, 0, stderr);
    assert.equal(JSON.parse(stdout).removed, removed);
  }
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
