// SFT through the command: it lowers the loss that pruning raised, and a run that is killed between checkpoints goes on and gives the
// bytes of one that was not. A model that ignores its picture is told of.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { blindWarnings } from "../../src/cli/compress/findings.js";
import type { StageReport } from "../../src/core/compression.js";
import { nibblemark } from "../cli/nibblemark.js";
import { root } from "../support/root.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-heal-"));
const at = (name: string) => join(folder, name);
const common = ["--prune", "layers:3,4,6", "--no-measure", "-q", "-o", "json", "--max-tokens", "48"];
const lora = [...common, "--heal", "sft-lora", "--steps", "44", "--distill-logits", "1", "--distill-hidden", "0.5"];

test("a killed run of sft goes on", async () => {
  const cli = join(root, "build", "src", "cli", "main.js");
  const child = spawn(process.execPath, [cli, "compress", "shipped", at("killed"), ...lora], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const log = join(at(".killed.compress"), "sft-lora-run", "log.jsonl");
  const steps = () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0);
  while (child.exitCode === null && steps() < 24) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGKILL");
  await ended;
  assert.ok(steps() >= 24 && steps() < 44, `${steps()} steps`);
  const resumed = nibblemark(["compress", "shipped", at("killed"), ...lora]);
  assert.is(resumed.code, 0, resumed.stderr);
  const straight = nibblemark(["compress", "shipped", at("straight"), ...lora]);
  assert.is(straight.code, 0, straight.stderr);
  const weights = (name: string) => readFileSync(join(at(name), "model.safetensors"));
  assert.equal(weights("killed"), weights("straight"));
  const { heal } = JSON.parse(straight.stdout);
  assert.equal(heal, JSON.parse(resumed.stdout).heal);
  assert.is(heal.log.length, 44);
  const heldOut = heal.log.flatMap(({ heldOut: loss }: { heldOut: number | null }) => loss ?? []);
  assert.ok(heldOut.at(-1) < heldOut[0], `${heldOut}`);
});

test("a model whose answers do not depend on the picture is told of", () => {
  const stage = (name: StageReport["stage"], shift: number): StageReport => ({
    ...{ stage: name, layers: 1, weightBytes: 1, bitsPerWeight: 16, runBytes: 1, contextTokens: 1 },
    figures: { answerShift: { value: shift, unit: "1", source: "measured" } },
  });
  assert.equal(blindWarnings([stage("original", 2), stage("pruned", 1.9)]), []);
  const [warning, ...rest] = blindWarnings([stage("original", 2), stage("pruned", 1.9), stage("healed", 0.1)]);
  assert.match(warning, /healed model hardly looks/);
  assert.equal(rest, []);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
