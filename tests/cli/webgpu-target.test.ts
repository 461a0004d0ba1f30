// `--target webgpu`: the GPU answers, and where there is none, the CPU does and says why; bench goes on with what can run.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { needWebgpu } from "../support/webgpu.js";
import { nibblemark } from "./nibblemark.js";

const ASK = ["run", "--prompt", "Call me", "--max-tokens", "3", "--target"];
/** A driver that is not there: Dawn then has no adapter. */
const BLIND = { VK_ICD_FILENAMES: "/nowhere.json", VK_DRIVER_FILES: "/nowhere.json" };

if (needWebgpu()) {
  test("the GPU says what the CPU says", () => {
    const gpu = nibblemark([...ASK, "webgpu"]);
    assert.is(gpu.code, 0, gpu.stderr);
    assert.match(gpu.stderr, /node\/webgpu-\w+\/1t/);
    assert.is(gpu.stdout, nibblemark([...ASK, "wasm-simd/1t"]).stdout);
  });
}

test("without an adapter the CPU answers, and the note says why", () => {
  const { code, stdout, stderr } = withEnvironment(BLIND, () => nibblemark([...ASK, "webgpu"]));
  assert.is(code, 0, stderr);
  assert.ok(stdout.trim().length > 0);
  assert.match(stderr, /note: node\/webgpu-gpu\/1t is unavailable: .*Running on the CPU/);
  assert.match(stderr, /node\/wasm-/);
});

test("bench names the target that did not run, and goes on", () => {
  const args = [
    "bench",
    "--model",
    "shipped",
    "--target",
    "webgpu,wasm-simd/1t",
    "--test",
    "tg2",
    "--quant",
    "int4-g32",
  ];
  const rest = ["--rounds", "2", "--topology", "local", "--host", "default", "--no-quality"];
  const { code, stdout, stderr } = withEnvironment(BLIND, () => nibblemark([...args, ...rest]));
  assert.is(code, 0, stderr);
  assert.match(stdout, /wasm-simd/);
  assert.match(stdout, /webgpu-gpu\/1t was not run/);
});

function withEnvironment<T>(variables: Readonly<Record<string, string>>, action: () => T): T {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return action();
  } finally {
    process.env = before;
  }
}

test.run();
