// The conformance of an adapter in parts: the whole suite with the kernels that it gets first, the other variants that it has
// (workgroup sizes, subgroups, f16, no packed dot product) on the products they are for, and the whole model. Runs in
// Node, Deno, Bun and pages.

import { openReference } from "../../src/backends/reference.js";
import { type AdapterFacts, adapterFacts, openWebgpu, type WebgpuOptions } from "../../src/backends/webgpu.js";
import type { Platform } from "../../src/core/ports.js";
import type { Case } from "./case.js";
import { type Difference, differences } from "./compare.js";
import { blockCases } from "./random-blocks.js";
import { BRIEF, SUITE } from "./suite.js";
import { MODEL_CASES, type ModelCase, modelDifferences } from "./whole-model.js";

export interface PartVerdict {
  readonly name: string;
  readonly cases: number;
  readonly wrong: readonly Difference[];
}

/** What an adapter computes, part by part; or why it could not be judged. */
export interface Verdict {
  /** `software (mesa, ...)` */
  readonly adapter: string;
  readonly parts: readonly PartVerdict[];
  /** Parts that the adapter has nothing for. */
  readonly absent: readonly string[];
  readonly error: string | null;
}

interface Part {
  readonly name: string;
  readonly options: WebgpuOptions;
  readonly cases: readonly Case[];
  readonly model?: readonly ModelCase[];
  /** What the adapter must have for it. */
  readonly needs?: "shaderF16" | "subgroups";
}

/** Products of few tokens, whose kernels have variants. */
const decode = SUITE.filter(({ name }) => /^matmul .*\b(?:33|172|128)\] x [12],/.test(name));

/** The same ways of reading weights, one shape each. */
const briefDecode = decode.filter(({ name }) =>
  /^matmul (?:int8|int4-g32)(?: bias)? \[(?:9, 33|20, 172)\] x 1,/.test(name),
);

/** Rounding of single products to half floats; sums are as exact as ever. */
const HALF = 1e-3;
/** A compiler of half floats takes seconds a kernel: every way of products and offsets once, and a deep sum. */
const int4 = SUITE.filter(({ name }) =>
  /^matmul int4-g(?:32|128)(?: zeroU4| bias)? \[(?:24, 128|9, 33|20, 172|40, 4096)\] x \d+, f32/.test(name),
).map((entry) => ({ ...entry, tolerance: HALF }));

const WITH_SUBGROUPS: WebgpuOptions = { choice: { size: 128, subgroups: true } };
const WITHOUT_DOT4: WebgpuOptions = { choice: { size: 32, subgroups: false }, dot4: false };

/** The model in brief is the one with int4 weights and an int8 cache. */
const PARTS: readonly Part[] = [
  { name: "in brief: first choice of kernels", options: {}, cases: BRIEF, model: MODEL_CASES.slice(1, 2) },
  { name: "in brief: subgroups", options: WITH_SUBGROUPS, cases: briefDecode, needs: "subgroups" },
  { name: "in brief: no packed dot product", options: WITHOUT_DOT4, cases: briefDecode },
  { name: "first choice of kernels", options: {}, cases: SUITE, model: MODEL_CASES },
  { name: "weights in blocks", options: {}, cases: blockCases() },
  { name: "128 invocations, subgroups", options: WITH_SUBGROUPS, cases: decode, needs: "subgroups" },
  { name: "32 invocations, no packed dot product", options: WITHOUT_DOT4, cases: decode },
  {
    name: "products in f16",
    options: { f16: true },
    cases: int4,
    model: MODEL_CASES.filter(({ quant, activations }) => quant !== "f32" && activations === "f32"),
    needs: "shaderF16",
  },
  {
    name: "products in f16, 256 invocations, subgroups",
    options: { f16: true, choice: { size: 256, subgroups: true } },
    cases: int4.filter(({ name }) => / x 1,/.test(name)),
    needs: "shaderF16",
  },
];

const has = (facts: AdapterFacts, { needs, options }: Part): boolean =>
  (needs === undefined || facts[needs]) && (!options.choice?.subgroups || facts.subgroups);

async function judgePart(platform: Platform, { name, options, cases, model = [] }: Part): Promise<PartVerdict> {
  const wrong = await differences(await openWebgpu(platform, options), await openReference(platform), cases);
  for (const entry of model) {
    const backend = await openWebgpu(platform, options);
    wrong.push(...(await modelDifferences(platform, backend, await openReference(platform), entry)));
  }
  return { name, cases: cases.length + model.length, wrong };
}

/** Pattern of the parts that hold all of the others. */
export const WHOLE = "^(?!in brief)";

/** Judges the adapter of a platform in every part that it has and whose name matches. */
export async function judge(platform: Platform, wanted = new RegExp(WHOLE)): Promise<Verdict> {
  try {
    const facts = await adapterFacts(platform);
    const asked = PARTS.filter(({ name }) => wanted.test(name));
    const parts: PartVerdict[] = [];
    for (const part of asked) if (has(facts, part)) parts.push(await judgePart(platform, part));
    const absent = asked.filter((part) => !has(facts, part)).map(({ name }) => name);
    return { adapter: `${facts.kind} (${facts.name})`, parts, absent, error: null };
  } catch (error) {
    return { adapter: "", parts: [], absent: [], error: (error as Error).stack ?? `${error}` };
  }
}
