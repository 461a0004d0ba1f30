// Targets are chosen by name or by what can run; a name nobody has is bad input, one that cannot run says why.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError, UnavailableError } from "../../src/core/errors.js";
import { type TargetStatus, targetName } from "../../src/core/target.js";
import { chooseTargets, notRun, sufficeFor, wantedOf } from "../../src/run/targets.js";

const target = (variant: string, threads: number) => ({ host: "node", backend: "wasm", variant, threads }) as const;
const STATUSES: readonly TargetStatus[] = [
  { target: target("scalar", 1), available: true, detail: "" },
  { target: target("simd", 1), available: true, detail: "" },
  { target: target("simd", 2), available: true, detail: "" },
  { target: target("relaxed", 2), available: false, reason: "too old", remedy: "Use Node 22" },
];
const names = (wanted: "all" | "fastest" | string[], threads = 0) =>
  chooseTargets(wanted, STATUSES, threads).map(targetName);

test("all that can run, and the fastest of them", () => {
  assert.equal(names("all"), ["node/wasm-scalar/1t", "node/wasm-simd/1t", "node/wasm-simd/2t"]);
  assert.equal(names("fastest"), ["node/wasm-simd/2t"]);
  assert.equal(names("fastest", 1), ["node/wasm-simd/1t"]);
});

test("a GPU need not be looked for where every name is the CPU's", () => {
  assert.ok(sufficeFor("fastest", STATUSES));
  assert.ok(sufficeFor(["simd/1t", "wasm-relaxed"], STATUSES));
  assert.not.ok(sufficeFor("all", STATUSES));
  assert.not.ok(sufficeFor(["simd", "webgpu"], STATUSES));
  assert.is(wantedOf([{ targets: ["simd"] }, { targets: "all" }]), "all");
  assert.equal(wantedOf([{ targets: ["simd"] }, { targets: "fastest" }, { targets: ["webgpu"] }]), ["simd", "webgpu"]);
  assert.is(wantedOf([{ targets: "fastest" }]), "fastest");
});

test("names may be whole or short", () => {
  assert.equal(names(["node/wasm-simd/2t"]), ["node/wasm-simd/2t"]);
  assert.equal(names(["wasm-scalar"]), ["node/wasm-scalar/1t"]);
  assert.equal(names(["simd"]), ["node/wasm-simd/1t", "node/wasm-simd/2t"]);
});

test("a name that no target has is bad input", () => {
  assert.throws(
    () => names(["cuda"]),
    (error: unknown) => error instanceof InputError && /Known here/.test(error.message),
  );
});

test("a target that cannot run says why", () => {
  assert.throws(
    () => names(["wasm-relaxed/2t"]),
    (error: unknown) => error instanceof UnavailableError && error.reason === "too old",
  );
});

test("a software adapter runs when named, never by itself", () => {
  const gpu = (variant: string) => ({ host: "node", backend: "webgpu", variant, threads: 1 }) as const;
  const software: TargetStatus = { target: gpu("software"), available: true, detail: "" };
  const discrete: TargetStatus = { target: gpu("discrete"), available: true, detail: "" };
  const choose = (wanted: "all" | "fastest" | string[], one: TargetStatus) =>
    chooseTargets(wanted, [...STATUSES, one], 0).map(targetName);
  assert.not.ok(choose("all", software).includes("node/webgpu-software/1t"));
  assert.ok(choose("all", discrete).includes("node/webgpu-discrete/1t"));
  assert.equal(choose(["webgpu"], software), ["node/webgpu-software/1t"]);
  assert.equal(choose("fastest", discrete), ["node/wasm-simd/2t"]);
});

test("a named target that cannot run is left to a warning while others can", () => {
  const wanted = ["simd/1t", "wasm-relaxed/2t"];
  assert.equal(names(wanted), ["node/wasm-simd/1t"]);
  assert.equal(
    notRun(wanted, STATUSES).map(({ reason }) => reason),
    ["too old"],
  );
});

test.run();
